import type pg from 'pg'
import { expect, test } from 'vitest'
import type { Line } from './append-types.ts'
import { commandRun } from './command/index.ts'
import type { GroupWriter } from './group-writer.ts'
import { pruneChunks } from './prune-chunks.ts'
import { rebuild } from './rebuild.ts'
import { useLog } from './testing-log.ts'
import { newRun } from './testing-runs.ts'

let url: string
let pool: pg.Pool
let writer: GroupWriter
useLog((log) => {
  ;({ url, pool, writer } = log)
})

const LATER = new Date(Date.now() + 3_600_000)

async function runWith(chunks: number, end?: Line): Promise<string> {
  const run = await newRun(pool)
  const place = { phase: 'p', attempt: 1, turn: 1, delivery: 1 }
  const lines = Array.from({ length: chunks }, (_, n): Line => {
    return { type: 'chunk', key: `c${n}`, ...place, kind: 'token', text: `t${n}` }
  })
  await writer.append({ run, lines: [...lines, ...(end ? [end] : [])] })
  return run
}
const completed: Line = { type: 'run.completed', key: 'round/1/end' }
const failed: Line = { type: 'run.failed', key: 'round/1/end', data: { phase: 'p', error: {} } }

async function left(run: string): Promise<number> {
  const { rows } = await pool.query('select count(*)::int as n from devflow.run_chunks where run_id = $1', [
    run,
  ])
  return rows[0].n
}

test('goes in steps of a bounded size, also through one long run, and leaves what is not over or not old', async () => {
  const long = await runWith(25, completed)
  const short = await runWith(3, completed)
  const live = await runWith(5)
  expect(await pruneChunks(pool, new Date(Date.now() - 3_600_000))).toBe(0)
  const sizes: number[] = []
  for (let n = -1; n !== 0; ) {
    const { rows } = await pool.query('select devflow.prune_chunks($1, 10)::int as n', [LATER])
    n = rows[0].n
    sizes.push(n)
  }
  expect(sizes).toEqual([10, 10, 8, 0])
  expect([await left(long), await left(short), await left(live)]).toEqual([0, 0, 5])
  expect(await rebuild(url, { check: true })).toMatchObject({ differences: [] })
})

test('takes all steps that there are to take, unless it is told to stop', async () => {
  const run = await runWith(23, completed)
  expect(await pruneChunks(pool, LATER, { step: 10, signal: AbortSignal.abort() })).toBe(0)
  expect(await pruneChunks(pool, LATER, { step: 10 })).toBe(23)
  expect(await left(run)).toBe(0)
})

test('passes a run by that somebody is writing to, and one that goes on again', async () => {
  const [held, retried, over] = [
    await runWith(4, completed),
    await runWith(4, failed),
    await runWith(4, completed),
  ]
  expect(await commandRun(pool, { run: retried, verb: 'retry', actor: 'owner', via: 'api' })).toBe('done')
  const other = await pool.connect()
  await other.query('begin')
  await other.query('select 1 from devflow.run_heads where run_id = $1 for no key update', [held])
  expect(await pruneChunks(pool, LATER)).toBe(4)
  await other.query('commit')
  other.release()
  expect([await left(held), await left(retried), await left(over)]).toEqual([4, 4, 0])
  expect(await pruneChunks(pool, LATER)).toBe(4)
})
