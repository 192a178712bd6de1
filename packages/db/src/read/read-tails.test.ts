import { randomUUIDv7 } from 'node:crypto'
import type pg from 'pg'
import { expect, test } from 'vitest'
import type { Line } from '../append-types.ts'
import type { GroupWriter } from '../group-writer.ts'
import { useLog } from '../testing-log.ts'
import { newRun } from '../testing-runs.ts'
import { readLog } from './read-log.ts'
import { readTails, type Tail } from './read-tails.ts'

let pool: pg.Pool
let writer: GroupWriter
useLog((log) => {
  ;({ pool, writer } = log)
})

const place = { phase: 'p', attempt: 1, turn: 1 }
const chunks = (count: number): Line[] =>
  Array.from({ length: count }, (_, n) => ({
    ...{ type: 'chunk', key: `c${n}`, ...place, delivery: 1 },
    ...{ kind: 'token', text: `t${n}` },
  }))

async function runOf(...lines: Line[]): Promise<string> {
  const run = await newRun(pool)
  await writer.append({ run, lines })
  return run
}

test('gives each run what reading it alone gives: with chunks or without, bodies stored apart, ends, and no run at all', async () => {
  const said: Line = { type: 'turn.completed', key: 'end', ...place, data: { content: 'x'.repeat(50_000) } }
  const runs = [
    await runOf(...chunks(5), { type: 'chunk.reset', key: 'reset', ...place, delivery: 2 }),
    await runOf(...chunks(3), said, { type: 'run.completed', key: 'round/1/end' }),
    randomUUIDv7(),
  ]
  const tails = runs.flatMap((run) =>
    [0, 2, 99].flatMap((after) =>
      [true, false].map((withChunks): Tail => ({ run, after, chunks: withChunks })),
    ),
  )
  const alone = await Promise.all(
    tails.map(({ run, ...query }) => readLog(pool, run, { ...query, limit: 100 })),
  )
  expect(alone.filter((page) => page === undefined)).toHaveLength(6)
  expect(await readTails(pool, tails)).toEqual(alone)
})

test('many runs at once share the rows that one read gives, and go on where it ended', async () => {
  const runs = await Promise.all(Array.from({ length: 40 }, () => runOf(...chunks(70))))
  const seen = new Map<string, number[]>(runs.map((run) => [run, []]))
  let tails = runs.map((run): Tail => ({ run, after: 0, chunks: true }))
  let reads = 0
  for (; tails.length > 0; reads++) {
    const pages = await readTails(pool, tails)
    expect(pages.reduce((sum, page) => sum + (page?.items.length ?? 0), 0)).toBeLessThanOrEqual(2_000)
    tails = tails.flatMap(({ run, chunks }, index) => {
      const page = pages[index]
      seen.get(run)?.push(...(page?.items ?? []).map(({ seq }) => seq))
      return page && page.nextAfter < page.lastSeq ? [{ run, after: page.nextAfter, chunks }] : []
    })
  }
  expect(reads).toBe(2)
  for (const seqs of seen.values()) expect(seqs).toEqual(Array.from({ length: 71 }, (_, index) => index + 1))
})
