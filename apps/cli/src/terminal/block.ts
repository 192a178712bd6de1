import { widthOf } from './fit.ts'
import type { Screen } from './screen.ts'

const HIDE_CURSOR = '\u001b[?25l'
const SHOW_CURSOR = '\u001b[?25h'
const CLEAR_BELOW = '\u001b[0J'

/** Lines at the bottom of a terminal that are drawn over. */
export interface Block {
  /** Draws these lines in place of the last ones. */
  draw(lines: readonly string[]): void
  /** Takes the lines away. */
  clear(): void
  /** Leaves the lines where they are. */
  leave(): void
}

export function blockOn(screen: Screen): Block {
  let drawn: number[] = []
  /** What takes the cursor to where the block begins; a narrower window has wrapped its lines meanwhile. */
  const back = () => {
    const rows = drawn.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / screen.width)), 0)
    return rows === 0 ? '\r' : `\u001b[${rows}A\r`
  }
  return {
    draw: (lines) => {
      const fitting = lines.slice(0, Math.max(1, screen.rows - 1))
      // One write, so that no half of it is seen.
      screen.write(`${HIDE_CURSOR}${back()}${CLEAR_BELOW}${fitting.map((line) => `${line}\n`).join('')}`)
      drawn = fitting.map((line) => widthOf(line))
    },
    clear: () => {
      screen.write(`${back()}${CLEAR_BELOW}${SHOW_CURSOR}`)
      drawn = []
    },
    leave: () => {
      screen.write(SHOW_CURSOR)
      drawn = []
    },
  }
}
