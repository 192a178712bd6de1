import type { ModelAdapter, ModelEvent, ModelRequest } from '@devflow/activities'
import type { Provider } from '@devflow/contracts'

/** What became of a call, in counts and names. */
export interface CallEnd {
  /** `answered`, `aborted`, or the code of what it failed by. */
  status: string
  seconds: number
  /** Until the first piece of the answer; undefined when there was none. */
  firstPieceSeconds?: number
  modelUsed?: string
  generationId?: string
  finish?: string
  inputTokens?: number
  outputTokens?: number
  cachedTokens?: number
  reasoningTokens?: number
}

/** Told when a call begins, with what is asked of whom; answers what to tell when it is over. */
export type CallObserver = (provider: Provider, request: ModelRequest) => (end: CallEnd) => void

/** The same adapter, of whose calls the observers are told. Without any it is the adapter itself. */
export function observedModel(
  provider: Provider,
  adapter: ModelAdapter,
  observers: readonly CallObserver[],
): ModelAdapter {
  if (observers.length === 0) return adapter
  return { ...adapter, stream: (request, signal) => observed(provider, adapter, observers, request, signal) }
}

async function* observed(
  provider: Provider,
  adapter: ModelAdapter,
  observers: readonly CallObserver[],
  request: ModelRequest,
  signal: AbortSignal,
): AsyncGenerator<ModelEvent> {
  const ends = observers.map((observe) => observe(provider, request))
  const started = performance.now()
  // Whoever stops reading before the end has lost interest in the answer, as after an abort.
  const end: CallEnd = { status: 'aborted', seconds: 0 }
  const seconds = () => (performance.now() - started) / 1_000
  try {
    for await (const event of adapter.stream(request, signal)) {
      if (event.kind === 'generation') end.generationId = event.id
      else if (event.kind === 'usage') Object.assign(end, tokensOf(event.usage))
      else if (event.kind === 'done') {
        end.status = 'answered'
        end.finish = event.finish
        if (event.modelUsed !== undefined) end.modelUsed = event.modelUsed
      } else end.firstPieceSeconds ??= seconds()
      yield event
    }
  } catch (error) {
    if (!signal.aborted) end.status = codeOf(error)
    throw error
  } finally {
    end.seconds = seconds()
    for (const tell of ends) tell(end)
  }
}

function tokensOf({ inputTokens, outputTokens, cachedTokens, reasoningTokens }: Partial<CallEnd>) {
  return { inputTokens, outputTokens, cachedTokens, reasoningTokens }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown'
}
