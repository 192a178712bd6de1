import type { Words } from '../messages/words.ts'
import { blockOn } from '../terminal/block.ts'
import type { Screen } from '../terminal/screen.ts'
import { frameOf } from './frame.ts'
import type { QuietKeyboard } from './quiet-keyboard.ts'
import type { RunProgress } from './run-progress.ts'
import type { View } from './view.ts'

const TICK_MS = 100

/** A block at the bottom of a terminal that is drawn over as the run goes on. */
export function liveView(screen: Screen, words: Words, keyboard: QuietKeyboard): View {
  const block = blockOn(screen)
  keyboard.hold()
  const { palette } = screen
  let latest: RunProgress | undefined
  let tick = 0
  let isPaused = false
  let isLost = false
  const lines = (progress: RunProgress) => [
    ...frameOf(progress, {
      ...{ words, palette, tick },
      size: { width: screen.width, rows: screen.rows },
      now: Date.now() + progress.skew,
    }),
    ...(isLost ? [palette.notice(words.run.connection)] : []),
  ]
  const draw = () => {
    if (latest !== undefined && !isPaused) block.draw(lines(latest))
  }
  // Events come in bursts: they are drawn with the next tick.
  const timer = setInterval(() => {
    tick++
    draw()
  }, TICK_MS)
  return {
    event: (_, progress) => {
      latest = progress
      isLost = false
    },
    lost: () => {
      isLost = true
    },
    pause: () => {
      if (isPaused) return
      isPaused = true
      block.clear()
      keyboard.release()
    },
    resume: () => {
      isPaused = false
      keyboard.hold()
    },
    gate: () => {},
    end: (progress) => {
      clearInterval(timer)
      isPaused = false
      isLost = false
      latest = progress
      draw()
      block.leave()
      keyboard.release()
    },
  }
}
