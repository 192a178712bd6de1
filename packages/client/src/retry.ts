import { DevflowError } from './errors.ts'
import type { RetryPolicy } from './options.ts'

const AGAIN = new Set([429, 500, 502, 503, 504])

/** Whether another try may do better. `tried`: tries made before this one. */
export function isPassing(error: unknown, tried: number): error is DevflowError {
  if (!(error instanceof DevflowError)) return false
  if (error.status === undefined) return error.kind === 'TIMEOUT' || error.kind === 'UNAVAILABLE'
  // Our own first try is still in its transaction: its answer was lost, and is to be had in a moment.
  return AGAIN.has(error.status) || (error.code === 'idempotency_key_in_use' && tried > 0)
}

/**
 * How long to wait before a further try, in ms: half of `minDelayMs` doubled with every try, up to `maxDelayMs`, and
 * the other half by lot, so that many clients do not come back as one. What `Retry-After` asks for is never cut
 * short; undefined when it asks for more than `maxRetryAfterMs`.
 */
export function delayBefore(
  retry: number,
  error: DevflowError,
  { minDelayMs, maxDelayMs, maxRetryAfterMs }: RetryPolicy,
): number | undefined {
  const asked = (error.retryAfter ?? 0) * 1000
  if (asked > maxRetryAfterMs) return undefined
  const most = Math.min(maxDelayMs, minDelayMs * 2 ** retry)
  return Math.max(asked, most / 2 + (Math.random() * most) / 2)
}

/** Seconds that a `Retry-After` asks for, given as seconds or as a date. */
export function retryAfterOf(header: string | null, now = Date.now()): number | undefined {
  if (header === null) return undefined
  if (/^\s*\d+\s*$/.test(header)) return Number(header)
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now) / 1000)
}

/** Resolves after `ms`; rejects with the signal's reason as soon as it is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
