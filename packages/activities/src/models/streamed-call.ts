import type { ModelError, ModelEvent, ModelRequest } from './model.ts'
import { ProgressTimer } from './progress-timer.ts'
import { incompleteReply, stalledReply } from './provider-failure.ts'
import { NotSent, type Wire, wireUntil } from './wire.ts'

/** How one provider's streamed answer is opened and read. */
export interface StreamedCall<Item> {
  /** Sends the request by this wire and gives out the answer's items. Aborting the signal must close the connection. */
  open(signal: AbortSignal, wire: Wire): Promise<AsyncIterable<Item>>
  /** What an item adds. May throw what `errorOf` understands. */
  take(item: Item): Iterable<ModelEvent>
  /** Whether the item just taken was the last one: nothing more is waited for. */
  terminated(): boolean
  /** The rest, once no item is left; undefined where the answer did not come to its end. */
  end(): Iterable<ModelEvent> | undefined
  /** Maps what was thrown. `streaming`: the answer had begun, so it may be billed. */
  errorOf(failure: unknown, streaming: boolean): ModelError
}

/** After its last item the connection may go back to the pool, if the server ends the body this soon. */
const LINGER_MS = 1000

/**
 * What every streamed call owes whoever listens: an abort is thrown at once as the signal's own reason, a reply that
 * says nothing for too long fails, one that breaks off is never taken for whole, and leaving closes the connection.
 */
export async function* streamed<Item>(
  call: StreamedCall<Item>,
  { notAfter }: Pick<ModelRequest, 'notAfter'>,
  signal: AbortSignal,
  progressTimeoutMs: number,
): AsyncGenerator<ModelEvent> {
  signal.throwIfAborted()
  const progress = new ProgressTimer(progressTimeoutMs, () => stalledReply(progressTimeoutMs))
  const left = new AbortController()
  const any = AbortSignal.any([signal, progress.signal, left.signal])
  const wire = await wireUntil(notAfter)
  let streaming = false
  let complete = false
  try {
    const items = (await progress.during(orAborted(call.open(any, wire), any)))[Symbol.asyncIterator]()
    streaming = true
    while (!call.terminated()) {
      const next = await progress.during(orAborted(items.next(), any))
      // Some packages take an abort for the end of the answer.
      any.throwIfAborted()
      if (next.done) break
      yield* call.take(next.value)
    }
    const rest = call.end()
    if (!rest) throw incompleteReply()
    complete = true
    if (call.terminated()) finishBody(items, left)
    yield* rest
  } catch (failure) {
    if (signal.aborted) throw signal.reason
    if (progress.signal.aborted) throw progress.signal.reason
    if (wire.refused) throw new NotSent()
    throw call.errorOf(failure, streaming)
  } finally {
    // Whoever stops listening before the end closes the connection: the provider may stop too.
    if (!complete) left.abort()
  }
}

/** The work's result, or the signal's reason at once: not every package ends its work when it is told. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  // What fails after the abort has nobody to tell.
  work.catch(() => undefined)
  signal.throwIfAborted()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** Reads the rest in the background, so that the connection can be used again, and cuts it where there is no end. */
function finishBody(items: AsyncIterator<unknown>, left: AbortController): void {
  const timer = setTimeout(() => left.abort(), LINGER_MS).unref()
  void (async () => {
    try {
      while (!(await items.next()).done);
    } catch {
      // The reply is complete; how its connection ends changes nothing.
    } finally {
      clearTimeout(timer)
    }
  })()
}
