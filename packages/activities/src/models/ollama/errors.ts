import { ModelError } from '../model.ts'
import {
  billedAt,
  connectionFailure,
  modelError,
  retryAfterMs,
  saysContextIsFull,
  snippet,
  type Verdict,
  verdict,
  verdictOfStatus,
} from '../provider-failure.ts'

/** What the server says in place of an answer, or in the middle of one: then there is no status. */
export class OllamaRefusal extends Error {
  override readonly name = 'OllamaRefusal'
  readonly status: number | undefined
  readonly retryAfter: string | null

  constructor(status: number | undefined, body: string, retryAfter: string | null) {
    super(messageIn(body))
    this.status = status
    this.retryAfter = retryAfter
  }
}

/** `{"error": "text"}`, or a text as it is. */
function messageIn(body: string): string {
  try {
    const { error } = JSON.parse(body) as { error?: unknown }
    return typeof error === 'string' ? error : body
  } catch {
    return body
  }
}

/** What only the words tell. */
const BY_WORDS: [RegExp, Verdict][] = [
  [/model .+ not found|try pulling it first/i, verdict('NOT_FOUND', 'provider_model_not_found')],
  [/server busy|maximum pending requests/i, verdict('UNAVAILABLE', 'provider_overloaded', true)],
  [/requires more (?:system )?memory/i, verdict('UNAVAILABLE', 'provider_out_of_memory')],
  [/exceeds? the (?:available )?context (?:length|size)/i, verdict('INVALID', 'context_length_exceeded')],
]

/** Maps whatever a call threw to a `ModelError` that says what to do about it. */
export function ollamaError(
  failure: unknown,
  context: { model: string; host: string; streaming: boolean; secret?: string | undefined; now?: number },
): ModelError {
  if (failure instanceof ModelError) return failure
  const { model, host, streaming, secret } = context
  if (failure instanceof OllamaRefusal) {
    const { status, retryAfter } = failure
    const message = snippet(failure.message)
    const given = verdictOf(status, failure.message)
    const where = status === undefined ? 'the provider failed' : `the provider answered ${status}`
    const advice =
      given.code === 'provider_model_not_found' ? `; run \`ollama pull ${model}\` where Ollama runs` : ''
    return modelError(given, `${where}: ${message}${advice}`, {
      billed: status === undefined ? 'unknown' : billedAt(status, true),
      secret,
      retryAfterMs: retryAfterMs(retryAfter, context.now),
    })
  }
  const lost = connectionFailure(failure, streaming, secret)
  if (lost.code !== 'provider_unreachable') return lost
  return modelError(lost, `${lost.message}: is Ollama running at ${host}? OLLAMA_HOST says where`, {
    billed: lost.billed,
    secret,
  })
}

function verdictOf(status: number | undefined, message: string): Verdict {
  const told = BY_WORDS.find(([words]) => words.test(message))?.[1]
  if (told) return told
  if (saysContextIsFull(message)) return verdict('INVALID', 'context_length_exceeded')
  return status === undefined ? verdict('UNAVAILABLE', 'provider_failed', true) : verdictOfStatus(status)
}
