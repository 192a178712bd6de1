import pg from 'pg'
import { describe, expect, test } from 'vitest'
import type { Line } from './append-types.ts'
import { commandRun, decideGate, eraseRun, receiveSignal } from './command/index.ts'
import { GroupWriter } from './group-writer.ts'
import { migrate } from './migrate.ts'
import { OLDER, type OlderMajor, olderPostgres, withServer } from './older-servers.fixture.ts'
import { listRuns, readCalls, readGate, readLog, readPhases, readRun } from './read/index.ts'
import { rebuild } from './rebuild.ts'
import { readReportFacts } from './report-facts.ts'
import { takeSession } from './sessions.ts'
import { newRun } from './testing-runs.ts'

const MAJORS = Object.keys(OLDER).map((major) => Number(major) as OlderMajor)
const TENANT = 'default'

describe('the log on an older Postgres', () => {
  test.for(MAJORS)(
    'version %s: migrations, append, decisions, commands, reads, the rebuild check and deletion',
    async (major, { skip }) => {
      const home = await olderPostgres(major)
      if ('missing' in home) {
        console.warn(home.missing)
        skip(home.missing)
      } else await withServer(home.folder, (url) => playOn(url, major))
    },
  )
})

async function playOn(url: string, major: number): Promise<void> {
  await migrate(url)
  await migrate(url)
  const pool = new pg.Pool({ connectionString: url })
  const writer = new GroupWriter(url, pool)
  try {
    const { rows } = await pool.query<{ version: string }>(
      "select current_setting('server_version_num') as version",
    )
    expect(Math.floor(Number(rows[0]?.version) / 10_000)).toBe(major)
    const run = await newRun(pool, { budget: { limitMicroUsd: 10 } })
    await write(pool, writer, run)
    await read(pool, run)
    expect(await rebuild(url, { check: true })).toMatchObject({ runs: 1, differences: [] })
    await end(pool, writer, run)
    expect(await rebuild(url, { check: true })).toMatchObject({ runs: 0, differences: [] })
  } finally {
    await writer.close()
    await pool.end()
  }
}

/** A group with a reservation, a chunk, a settlement and a gate; fencing; a refusal; a decision; commands; a signal. */
async function write(pool: pg.Pool, writer: GroupWriter, run: string): Promise<void> {
  const at = { phase: 'p', attempt: 1, turn: 1 }
  const reserved = { call: 1, persona: 'x', provider: 'offline', model: 'm', reservedMicroUsd: 4.51 }
  const settled = { call: 1, status: 'settled', costMicroUsd: 0.3, costSource: 'provider' }
  const gate = {
    gate: 'p',
    title: 't',
    subject: [],
    subjectHash: 'h',
    quorum: 1,
    rejectQuorum: 1,
    requireSubjectHash: false,
    onReject: 'fail',
    deadline: 'P10Y',
  }
  expect(await takeSession(pool, run, 'p/1')).toBe(1)
  const first = { run, session: { id: 'p/1', epoch: 1 } }
  const group = (lines: Line[]) => ({ ...first, lines })
  const answers = await Promise.all([
    writer.append({
      ...group([{ type: 'call.reserved', key: 'r', ...at, data: { ...reserved, reservedTokens: 9 } }]),
      reserve: { microUsd: 4.51, tokens: 9 },
    }),
    writer.append(group([{ type: 'chunk', key: 'c', ...at, delivery: 1, kind: 'token', text: 'x\u0000' }])),
    writer.append(group([{ type: 'call.settled', key: 's', ...at, data: settled }])),
    writer.append(group([{ type: 'gate.opened', key: 'g', phase: 'p', attempt: 1, data: gate }])),
    writer.append(group([{ type: 'turn.completed', key: 't', ...at, data: { body: 'x'.repeat(100_000) } }])),
    writer.append(group([{ type: 'call.settled', key: 's', ...at, data: settled }])),
  ])
  expect(answers.map(({ verdict }) => verdict)).toEqual([
    'written',
    'written',
    'written',
    'written',
    'written',
    'duplicate',
  ])
  const more: Line = { type: 'call.reserved', key: 'r2', ...at, data: { ...reserved, reservedTokens: 9 } }
  const over = { ...group([more]), reserve: { microUsd: 10, tokens: 9 } }
  expect(await writer.append(over)).toMatchObject({ verdict: 'refused', code: 'over_budget' })
  expect(await takeSession(pool, run, 'p/1')).toBe(2)
  expect(await writer.append(group([{ type: 'turn.started', key: 'late', ...at }]))).toEqual({
    verdict: 'fenced',
  })
  await expect(pool.query('delete from devflow.run_events where run_id = $1', [run])).rejects.toThrow()
  const decision = {
    run,
    gate: 'p',
    actor: 'owner',
    holds: ['owner'],
    decision: 'approve',
    via: 'test',
  } as const
  expect(await decideGate(pool, decision)).toBe('accepted')
  const command = { run, actor: 'owner', via: 'test' }
  expect(await commandRun(pool, { ...command, verb: 'pause' })).toBe('done')
  expect(await commandRun(pool, { ...command, verb: 'resume' })).toBe('done')
  const signal = { run, name: 'n', id: '1', data: { a: 1 }, actor: 'owner' }
  expect(await receiveSignal(pool, signal)).toBe('done')
  expect(await receiveSignal(pool, signal)).toBe('unchanged')
}

async function read(pool: pg.Pool, run: string): Promise<void> {
  expect((await listRuns(pool, { tenant: TENANT }, { limit: 10 })).items.map(({ id }) => id)).toEqual([run])
  expect((await readRun(pool, TENANT, run))?.usage.costMicroUsd).toBe(0.3)
  expect((await readPhases(pool, run, { limit: 10 })).items).toHaveLength(1)
  expect((await readGate(pool, run, 'p'))?.status).toBe('approved')
  expect((await readCalls(pool, run, { limit: 10 })).items).toHaveLength(1)
  expect((await readReportFacts(pool, run)).usage.costMicroUsd).toBe(0.3)
  const log = await readLog(pool, run, { after: 0, limit: 100, chunks: true })
  expect(log?.items.map(({ seq }) => seq)).toEqual(log?.items.map((_, index) => index + 1))
  expect(log?.items.find(({ key }) => key === 'c')?.data.text).toBe('x\uFFFD')
}

async function end(pool: pg.Pool, writer: GroupWriter, run: string): Promise<void> {
  await writer.append({ run, lines: [{ type: 'run.completed', key: 'round/1/end' }] })
  const { rows } = await pool.query("select devflow.prune_chunks(now() + interval '1 day') as n")
  expect(Number(rows[0]?.n)).toBe(1)
  expect(await eraseRun(pool, run, 'owner')).toBe('done')
}
