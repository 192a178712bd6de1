import { setTimeout as pause } from 'node:timers/promises'

/** Looks again and again until the answer is as wanted, where nobody tells of changes. Rejects with the last answer. */
export async function eventually<T>(
  look: () => Promise<T>,
  isWanted: (answer: T) => boolean,
  { patienceMs = 20_000, pauseMs = 20 } = {},
): Promise<T> {
  const started = performance.now()
  for (;;) {
    const answer = await look()
    if (isWanted(answer)) return answer
    if (performance.now() - started > patienceMs)
      throw new Error(`not so within ${patienceMs} ms: ${JSON.stringify(answer)}`)
    await pause(pauseMs)
  }
}
