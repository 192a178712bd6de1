import type { Bench } from './bench.ts'
import { median } from './figures.ts'

/** One who plays rounds, and how many things (steps, runs) a round is. */
export interface Side {
  name: string
  /** Plays a round; answers how long it took, in ms. */
  play(): Promise<number>
  cpuMs(): number
  count: number
}

export interface Figure {
  name: string
  /** Median of all rounds. */
  perSecond: number
  /** Processor time of one, in ms. */
  cpuMs: number
  /** Median of Devflow's rate over this side's, round by round. */
  ratio: number
}

/** Until a process has compiled what it does most: a service that runs for days is measured, on all sides. */
const WARM_UPS = 3
/** Between rounds: what one leaves behind, as connections that are closed and logs that are tidied, is not done to the next. */
const PAUSE_MS = 2_000

/** Interleaved rounds, A B C A B C …, after those that warm up: what disturbs the machine disturbs all. The first is ours. */
export async function sideBySide({ rounds }: Bench, sides: readonly Side[]): Promise<Figure[]> {
  const rates = sides.map((): number[] => [])
  const cpu = sides.map((): number[] => [])
  for (let round = -WARM_UPS; round < rounds; round++) {
    for (const [index, side] of sides.entries()) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
      const before = side.cpuMs()
      const ms = await side.play()
      if (round < 0) continue
      rates[index]?.push((side.count / ms) * 1_000)
      cpu[index]?.push((side.cpuMs() - before) / side.count)
    }
  }
  return sides.map(({ name }, index) => ({
    name,
    perSecond: median(rates[index] ?? []),
    cpuMs: median(cpu[index] ?? []),
    ratio: median((rates[0] ?? []).map((rate, round) => rate / (rates[index]?.[round] ?? Number.NaN))),
  }))
}
