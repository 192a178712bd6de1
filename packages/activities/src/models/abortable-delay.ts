import { setTimeout as sleep } from 'node:timers/promises'

/** Waits, or throws the signal's own reason as soon as it is aborted. */
export async function delay(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  if (ms <= 0) return
  try {
    await sleep(ms, undefined, { signal })
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
}
