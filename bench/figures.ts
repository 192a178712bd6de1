/** One line of the table. */
export interface Row {
  scenario: string
  /** Devflow's figure, with its unit. */
  devflow: string
  /** The peers', side by side in the same run. */
  peers?: string
  /** What is aimed at, and whether it was reached in this run. */
  aim?: string
}

export const sorted = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b)

/** The value below which a share of all values lies; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const index = Math.min(values.length - 1, Math.floor(values.length * share))
  return sorted(values)[index] ?? Number.NaN
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** Short, with as many digits as mean something. */
export const short = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(2)

/** `aim` with a mark whether it was reached. */
export const judged = (aim: string, reached: boolean): string => `${aim} ${reached ? '✓' : '✗'}`

export function table(rows: readonly Row[]): string {
  const cells = rows.map(({ scenario, devflow, peers = '–', aim = '–' }) => [scenario, devflow, peers, aim])
  const line = (row: readonly string[]) => `| ${row.join(' | ')} |`
  return [line(['', 'Devflow', 'peers', 'aim']), '| --- | --- | --- | --- |', ...cells.map(line)].join('\n')
}
