import { setTimeout as pause } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import { judged, quantile, type Row, short } from '../figures.ts'

const RATE = 100
const SECONDS = 20
const AIM_MS = 30

/** Submission latency at a steady rate, counted from when each was due: a late answer delays none that follow. */
export async function submit(bench: Bench): Promise<Row[]> {
  const stack = await bench.stack()
  const latencies = await load(() => stack.submit({ template: 'bench-gate@1' }), RATE * 2, RATE)
  latencies.length = 0
  const measured = await load(() => stack.submit({ template: 'bench-gate@1' }), RATE * SECONDS, RATE)
  const p99 = quantile(measured, 0.99)
  return [
    {
      scenario: `submission at ${RATE}/s for ${SECONDS} s over HTTP, while the runs start`,
      devflow: `p50 ${short(quantile(measured, 0.5))} ms, p99 ${short(p99)} ms`,
      aim: judged(`p99 ${AIM_MS} ms`, p99 <= AIM_MS),
    },
  ]
}

async function load(work: () => Promise<unknown>, count: number, perSecond: number): Promise<number[]> {
  const begun = performance.now()
  return await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const due = begun + (index / perSecond) * 1_000
      await pause(Math.max(0, due - performance.now()))
      await work()
      return performance.now() - due
    }),
  )
}
