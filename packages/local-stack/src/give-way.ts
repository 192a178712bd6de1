import { readdir, writeFile } from 'node:fs/promises'
import { setPriority } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

/** Linux takes such a change ten times a second at most from anybody but root, and answers EAGAIN. */
const TRIES = 20
const PAUSE_MS = 120

/** What `devflow up` asks for unless told. */
export const USUAL_NICE = 10

/**
 * Lets a process that serves us already go behind others when all want the processors, by so many steps of `nice` (0 to 19).
 * A wish: where the system does not grant it, all is as it was.
 */
export async function giveWay(pid: number, nice: number): Promise<void> {
  if (nice === 0) return
  for (const thread of await threadsOf(pid)) {
    try {
      setPriority(thread, nice)
    } catch {
      // Ended meanwhile, or not ours to say.
    }
  }
  // Where Linux shares processors out by session, and each service is one, only the session's own number counts between them.
  for (let tries = 0; tries < TRIES; tries += 1) {
    const failure = await writeFile(`/proc/${pid}/autogroup`, String(nice), { flag: 'r+' }).catch(
      (error: NodeJS.ErrnoException) => error,
    )
    if (failure?.code !== 'EAGAIN') return
    await sleep(PAUSE_MS)
  }
}

/** Linux counts by threads, and later ones are like those that start them; elsewhere a process is one. */
async function threadsOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => [String(pid)])
  return threads.map(Number)
}
