import fc from 'fast-check'
import type pg from 'pg'
import { expect, test } from 'vitest'
import type { Answer, Line, Member } from './append-types.ts'
import type { GroupWriter } from './group-writer.ts'
import { rebuild } from './rebuild.ts'
import { takeSession } from './sessions.ts'
import { useLog } from './testing-log.ts'
import { newRun } from './testing-runs.ts'

let url: string
let pool: pg.Pool
let writer: GroupWriter
useLog((log) => {
  ;({ url, pool, writer } = log)
})

const LIMIT_MICRO_USD = 10
const place = { phase: 'p', attempt: 1 }

/** What somebody appends to the first or the second of two runs; `taken` has lost its place to another session. */
interface Step {
  run: 0 | 1
  by: 'p/1' | 'p/2' | 'taken/1' | undefined
  lines: { key: number; isChunk: boolean }[]
  microUsd: number | undefined
}

/** Few are there twice: what goes together is looked at line by line where one is. */
const key = fc.oneof({ arbitrary: fc.nat(100_000), weight: 20 }, { arbitrary: fc.nat(3), weight: 1 })

const step: fc.Arbitrary<Step> = fc.record({
  run: fc.constantFrom(0, 0, 0, 1),
  by: fc.constantFrom('p/1', 'p/1', 'p/1', 'p/2', 'taken/1', undefined),
  lines: fc.array(fc.record({ key, isChunk: fc.boolean() }), { minLength: 1, maxLength: 3 }),
  microUsd: fc.option(fc.nat(4), { nil: undefined, freq: 2 }),
})

function memberOf({ run, by, lines, microUsd }: Step, turn: number, runs: readonly string[]): Member {
  const written = lines.map(
    ({ key, isChunk }): Line =>
      isChunk
        ? { type: 'chunk', key: `${key}`, ...place, turn: 1, delivery: 1, kind: 'token', text: 'x' }
        : { type: 'turn.started', key: `${key}`, data: {} },
  )
  const call = { call: 1, persona: 'x', provider: 'offline', model: 'm', reservedTokens: 1 }
  if (microUsd !== undefined)
    written.push({
      type: 'call.reserved',
      key: `p/1/${turn}/call-1/reserved`,
      ...place,
      turn,
      data: { ...call, reservedMicroUsd: microUsd },
    })
  return {
    run: runs[run] ?? '',
    ...(by === undefined ? {} : { session: { id: by, epoch: 1 } }),
    ...(microUsd === undefined ? {} : { reserve: { microUsd, tokens: 1 } }),
    lines: written,
  }
}

/** Two runs that are alike whenever they are made. */
async function twoRuns(isPaused: boolean): Promise<string[]> {
  const budget = { limitMicroUsd: LIMIT_MICRO_USD }
  const runs = [await newRun(pool, { budget }), await newRun(pool)]
  for (const run of runs)
    for (const session of ['p/1', 'p/2', 'taken/1', 'taken/1']) await takeSession(pool, run, session)
  if (isPaused) await pool.query("select devflow.command($1, 'pause', 'me', null, 'test')", [runs[1]])
  return runs
}

async function logOf(run: string): Promise<unknown> {
  const { rows } = await pool.query(
    `select seq, key, 'event' as of from devflow.run_events where run_id = $1
     union all select seq, key, 'chunk' from devflow.run_chunks where run_id = $1 order by seq`,
    [run],
  )
  const { rows: heads } = await pool.query('select seq from devflow.run_heads where run_id = $1', [run])
  return { heads, rows }
}

test('members that go together are answered, and leave the same log, as if each had gone alone', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 12 }),
      fc.boolean(),
      async (steps, isPaused) => {
        const [together, alone] = [await twoRuns(isPaused), await twoRuns(isPaused)]
        const answers = await Promise.all(
          steps.map((one, turn) => writer.append(memberOf(one, turn, together))),
        )
        const expected: Answer[] = []
        for (const [turn, one] of steps.entries())
          expected.push(await writer.append(memberOf(one, turn, alone)))
        expect(answers).toEqual(expected)
        for (const [index, run] of together.entries())
          expect(await logOf(run)).toEqual(await logOf(alone[index] ?? ''))
      },
    ),
    { numRuns: 60 },
  )
  expect(await rebuild(url, { check: true })).toMatchObject({ differences: [] })
})
