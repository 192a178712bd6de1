import { cut, inOneLine, padEnd, padStart, widthOf } from './fit.ts'
import type { Paint } from './palette.ts'
import type { Screen } from './screen.ts'

/** A text, or one with a colour. */
export type Cell = string | { text: string; paint: Paint }

export interface Column {
  title: string
  align?: 'right'
  /** Gives way where the lines would be too long; of several the widest first. */
  gives?: boolean
}

const GAP = '  '
const NARROWEST = 6

/** Lines of a table. In a terminal they fit its width; in a pipe nothing is cut. */
export function table(columns: readonly Column[], rows: readonly Cell[][], screen: Screen): string[] {
  const { palette, width } = screen
  const texts = rows.map((row) => row.map((cell) => inOneLine(typeof cell === 'string' ? cell : cell.text)))
  const widths = columns.map(({ title }, at) =>
    Math.max(widthOf(title), ...texts.map((row) => widthOf(row[at] ?? ''))),
  )
  narrow(widths, columns, width)
  const line = (row: readonly string[], paintOf: (at: number) => Paint) =>
    columns
      .map(({ align }, at) => {
        const text = cut(row[at] ?? '', widths[at] ?? 0)
        const pad = align === 'right' ? padStart : padEnd
        // Spaces behind the last column would wrap in a terminal that is just as wide.
        const isLast = at === columns.length - 1 && align !== 'right'
        return palette[paintOf(at)](isLast ? text : pad(text, widths[at] ?? 0))
      })
      .join(GAP)
      .trimEnd()
  return [
    line(
      columns.map(({ title }) => title),
      () => 'faint',
    ),
    ...texts.map((row, index) =>
      line(row, (at) => {
        const cell = rows[index]?.[at]
        return cell === undefined || typeof cell === 'string' ? 'plain' : cell.paint
      }),
    ),
  ]
}

/** Takes columns from those that give until the line fits. */
function narrow(widths: number[], columns: readonly Column[], most: number): void {
  const total = () => widths.reduce((sum, each) => sum + each, 0) + GAP.length * (widths.length - 1)
  while (total() > most) {
    const widest = columns
      .map(({ gives }, at) => ({ at, width: gives ? (widths[at] ?? 0) : 0 }))
      .reduce((a, b) => (b.width > a.width ? b : a))
    if (widest.width <= NARROWEST) return
    widths[widest.at] = widest.width - 1
  }
}
