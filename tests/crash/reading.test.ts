import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Frame, follow } from './reader.ts'
import { submit, waitForStatus } from './runs.ts'
import { Stack } from './stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await Stack.start({ workers: 1 })
})
afterAll(() => stack?.close())

/** The run's whole sequence as Postgres has it. */
async function logOf(run: string): Promise<{ seq: number; type: string }[]> {
  const { rows } = await stack.pool.query<{ seq: string; type: string }>(
    `select seq, type from devflow.run_events where run_id = $1
     union all select seq, case kind when 'reset' then 'chunk.reset' else 'chunk' end from devflow.run_chunks where run_id = $1 order by seq`,
    [run],
  )
  return rows.map(({ seq, type }) => ({ seq: Number(seq), type }))
}

const places = (frames: Frame[]): { seq: number; type: string }[] =>
  frames.map(({ seq, type }) => ({ seq, type }))

test('what 16 readers saw while the API was killed again and again is the log, each line once and in order', async () => {
  const runs = await Promise.all(
    Array.from({ length: 16 }, () =>
      submit(stack, 'crash:one@1', { turns: 5, chunks: 12, chunkDelayMs: 25 }),
    ),
  )
  let reading = true
  const readers = Promise.all(runs.map((run) => follow(stack, run))).finally(() => {
    reading = false
  })
  let kills = 0
  const killer = (async () => {
    while (reading && kills < 4) {
      await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 600))
      const { api } = stack.ready.pids
      process.kill(api, 'SIGKILL')
      kills += 1
      await stack.backAfter([api])
    }
  })()
  const seen = await readers
  await killer
  expect(kills).toBeGreaterThan(0)
  for (const [index, run] of runs.entries()) expect(places(seen[index] ?? [])).toEqual(await logOf(run))
}, 120_000)

test('resuming after any number of frames gives the same sequence, byte for byte', async () => {
  const run = await submit(stack, 'crash:one@1', { turns: 3, chunks: 6, chunkDelayMs: 1 })
  await waitForStatus(stack, run, 'completed')
  const whole = await follow(stack, run)
  expect(places(whole)).toEqual(await logOf(run))
  for (const cutAfter of [1, 2, 3, 7, 20]) expect(await follow(stack, run, { cutAfter })).toEqual(whole)
}, 60_000)
