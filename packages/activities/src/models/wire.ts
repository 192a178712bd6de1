import type { Dispatcher } from 'undici'
import { once } from './once.ts'

/** Thrown where a request was not sent, since its time was over: nothing is owed. */
export class NotSent extends Error {
  override readonly name = 'NotSent'
}

/** The way of one request to its provider. */
export interface Wire {
  /** For `fetch`. */
  readonly dispatcher: Dispatcher
  /** Whether the request came too late, and was not sent. */
  readonly refused: boolean
}

/** Loaded with the first call, as the packages of providers are. */
const undici = once(() => import('undici'))

/**
 * A wire on which a request is written before a moment (of `performance.now()`), or not at all. It looks in the instant before
 * the first byte, when a connection is there: a process that was frozen while it made one would else send what another has
 * done meanwhile (I13). It waits for an answer as long as that takes: whoever reads has a clock of their own.
 */
export async function wireUntil(notAfter = Number.POSITIVE_INFINITY): Promise<Wire> {
  const { getGlobalDispatcher } = await undici()
  let refused = false
  const dispatcher = getGlobalDispatcher().compose(
    (dispatch) => (options, handler) =>
      dispatch(
        { ...options, headersTimeout: 0, bodyTimeout: 0 },
        {
          onRequestStart: (controller, context: unknown) => {
            handler.onRequestStart?.(controller, context)
            if (performance.now() <= notAfter) return
            refused = true
            controller.abort(new NotSent())
          },
          onRequestUpgrade: (...args) => handler.onRequestUpgrade?.(...args),
          onResponseStart: (...args) => handler.onResponseStart?.(...args),
          onResponseData: (...args) => handler.onResponseData?.(...args),
          onResponseEnd: (...args) => handler.onResponseEnd?.(...args),
          onResponseError: (...args) => handler.onResponseError?.(...args),
        },
      ),
  )
  return {
    dispatcher,
    get refused() {
      return refused
    },
  }
}
