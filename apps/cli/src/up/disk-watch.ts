import { statfs } from 'node:fs/promises'
import type { Words } from '../messages/words.ts'

const LOOK_MS = 10_000
const LOW_BYTES = 200_000_000
/** More than low, so that a disk at the border is not told of again and again. */
const ENOUGH_BYTES = 400_000_000

/** Says when the disk with the data folder is almost full, and when it has room again. Answers how to end the watch. */
export function watchDisk(folder: string, say: (text: string) => void, { up: words }: Words): () => void {
  let isLow = false
  const look = async () => {
    const { bavail, bsize } = await statfs(folder)
    const left = bavail * bsize
    if (!isLow && left < LOW_BYTES) {
      isLow = true
      say(words.diskLow(folder, Math.round(left / 1e6)))
    } else if (isLow && left > ENOUGH_BYTES) {
      isLow = false
      say(words.diskEnough)
    }
  }
  const onProblem = (error: unknown) => say(words.diskUnseen(folder, String(error)))
  const timer = setInterval(() => void look().catch(onProblem), LOOK_MS)
  void look().catch(onProblem)
  return () => clearInterval(timer)
}
