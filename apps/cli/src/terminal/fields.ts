import { harmless, padEnd, widthOf, wrap } from './fit.ts'
import type { Screen } from './screen.ts'

/** Names and values, one under the other. */
export function fieldLines(
  rows: readonly (readonly [string, string])[],
  { palette, width }: Screen,
): string[] {
  const column = Math.max(...rows.map(([name]) => widthOf(name))) + 2
  return rows.flatMap(([name, value]) =>
    wrap(harmless(value), width - column).map(
      (line, index) => palette.faint(padEnd(index === 0 ? name : '', column)) + line,
    ),
  )
}
