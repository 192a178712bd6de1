import type { Model, RunEvent } from '@devflow/contracts'
import type { ModelError } from '../models/model.ts'

/** Calls of one turn to one model before another is tried or the phase fails: the first, and two more for errors that pass. */
const MOST_CALLS = 3

/** Fewer tokens than this are no answer: credits that allow no more do not allow a call. */
const LEAST_OUTPUT_TOKENS = 64

/** Errors that stay, and are of this model alone. */
const OF_THE_MODEL: readonly string[] = [
  'provider_model_not_found',
  'provider_unavailable',
  'provider_overloaded',
]

/** Whom an attempt's calls go to: what the log says of it, and what its credits allow. */
export interface Calling {
  /** The fallback in use; undefined: the persona's own model. */
  model: string | undefined
  /** Failed calls of the turn that comes next to the model in use. */
  failed: number
  /** What the provider says can be paid for; found out anew by each delivery. */
  affordable: number | undefined
}

export const callingAtFirst = (): Calling => ({ model: undefined, failed: 0, affordable: undefined })

/** Follows an attempt's events: a delivery after a crash knows the model in use. */
export function followCalls(calling: Calling, { type, data }: Pick<RunEvent, 'type' | 'data'>): void {
  if (type === 'model.fallback') {
    calling.model = String(data.to)
    calling.failed = 0
  } else if (type === 'turn.failed') calling.failed += 1
  else if (type === 'turn.completed') calling.failed = 0
}

/** The persona's model, or the fallback in its place: the price written for the one is not the other's. */
export function modelInUse(own: Model, { model, affordable }: Calling): Model {
  if (model === undefined && affordable === undefined) return own
  const { maxOutputTokens: asked, pricing, ...others } = own
  const most = Math.min(asked ?? Number.POSITIVE_INFINITY, affordable ?? Number.POSITIVE_INFINITY)
  return {
    ...others,
    ...(Number.isFinite(most) ? { maxOutputTokens: most } : {}),
    ...(model === undefined ? { pricing } : { name: model }),
  }
}

export type Next = { next: 'again'; pause: boolean } | { next: 'fallback'; to: string } | { next: 'fail' }

/** What follows a failed call, which `calling` counts already. */
export function afterFailure(own: Model, calling: Calling, error: ModelError): Next {
  const { affordableTokens } = error
  if (
    affordableTokens !== undefined &&
    affordableTokens >= LEAST_OUTPUT_TOKENS &&
    calling.failed < MOST_CALLS
  ) {
    calling.affordable = affordableTokens
    return { next: 'again', pause: false }
  }
  if (error.retryable && calling.failed < MOST_CALLS) return { next: 'again', pause: true }
  if (!error.retryable && !OF_THE_MODEL.includes(error.code)) return { next: 'fail' }
  const models = [...new Set([own.name, ...(own.fallbacks ?? [])])]
  const to = models[models.indexOf(calling.model ?? own.name) + 1]
  return to === undefined ? { next: 'fail' } : { next: 'fallback', to }
}
