import { z } from 'zod'
import { modelError, verdict } from './provider-failure.ts'

const Key = z.object({
  data: z.object({ limit_remaining: z.number().nullish(), limit_reset: z.string().nullish() }),
})

/** How long what `/key` said is taken for true. */
const FRESH_MS = 60_000

/**
 * Knows whether the key's own limit is used up: then nothing is sent until it is reset, and who has to act is told. A
 * look is made beside the calls now and then, and before each call once the limit is known to be used up; a look that
 * fails says nothing.
 */
export class KeyLimit {
  readonly #ask: (signal: AbortSignal) => Promise<unknown>
  #lookedAt = Number.NEGATIVE_INFINITY
  #drained: { reset: string | undefined } | undefined
  #looking: Promise<void> | undefined

  /** `ask` gives the answer of `GET /key`. */
  constructor(ask: (signal: AbortSignal) => Promise<unknown>) {
    this.#ask = ask
  }

  /** A call was refused because of it. */
  usedUp(): void {
    this.#drained ??= { reset: undefined }
  }

  /** Throws a `ModelError` where the limit is used up. */
  async check(signal: AbortSignal): Promise<void> {
    if (this.#drained || performance.now() - this.#lookedAt > FRESH_MS) {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined
      })
      // Only a key known to be used up is waited for.
      if (this.#drained) await Promise.race([this.#looking, aborted(signal)])
    }
    if (!this.#drained) return
    const { reset } = this.#drained
    throw modelError(
      verdict('PERMISSION_DENIED', 'provider_key_limit'),
      `The key's limit at OpenRouter is used up${reset ? ` and is reset ${reset}` : ''}: raise it, or wait for the reset.`,
      { billed: 'no' },
    )
  }

  async #look(): Promise<void> {
    this.#lookedAt = performance.now()
    try {
      const key = Key.safeParse(await this.#ask(AbortSignal.timeout(5_000)))
      if (!key.success) return
      const { limit_remaining: left, limit_reset: reset } = key.data.data
      this.#drained =
        left !== null && left !== undefined && left <= 0 ? { reset: reset ?? undefined } : undefined
    } catch {
      // What cannot be asked is not known: the call itself will tell.
    }
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
