import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { takeSession } from '@devflow/db'
import { testDatabase } from '@devflow/db/testing'
import pg from 'pg'
import { expect, test } from 'vitest'
import { sweepWorkspaces } from './sweep.ts'

test('what runs that are over, dead epochs and killed processes left is removed, and nothing else', async () => {
  await using database = await openDatabase()
  const { pool } = database
  const dataDir = await mkdtemp(join(tmpdir(), 'devflow-sweep-'))
  const [alive, over, gone] = [1, 2, 3].map((n) => `01985f2e-7a3b-7c4d-8e5f-60718293a4b${n}`)
  for (const [run, control] of [
    [alive, 'go'],
    [over, 'over'],
  ])
    await pool.query(
      `insert into devflow.run_heads (run_id, seq, last_at, control, commands, execution_epoch) values ($1, 0, now(), $2, 0, 0)`,
      [run, control],
    )
  for (const session of ['write/1', 'write/1', 'map[3]/2']) await takeSession(pool, alive ?? '', session)
  const uuid = '01985f2e-7a3b-7c4d-8e5f-60718293a4c0'
  for (const [run, names] of [
    [
      alive,
      [
        'write-1-1',
        'write-1-1.git',
        'write-1-2',
        'write-1-2.git',
        'map%5B3%5D-2-1',
        `.draft-${uuid}-write-1-1`,
        `.draft-${uuid}-write-1-2`,
        `.setup-${uuid}-write-1-1.git`,
        `.setup-${uuid}-map%5B3%5D-2-1`,
        `.draft-${uuid}-.setup-${uuid}-write-1-1`,
        '.join-x.git',
      ],
    ],
    [over, ['write-1-1']],
    [gone, ['write-1-1']],
    ['no-run', ['kept']],
  ] as const)
    for (const name of names) {
      const path = join(dataDir, 'workspaces', run ?? '', name)
      await mkdir(path, { recursive: true })
    }

  const said: unknown[] = []
  const log = {
    debug: () => {},
    warn: () => {},
    error: () => {},
    info: (fields: unknown) => said.push(fields),
  }
  await sweepWorkspaces({ pool, dataDir, log })
  expect((await readdir(join(dataDir, 'workspaces'))).sort()).toEqual([alive, 'no-run'])
  expect((await readdir(join(dataDir, 'workspaces', alive ?? ''))).sort()).toEqual([
    `.draft-${uuid}-write-1-2`,
    '.join-x.git',
    `.setup-${uuid}-map%5B3%5D-2-1`,
    'map%5B3%5D-2-1',
    'write-1-2',
    'write-1-2.git',
  ])
  expect(said).toEqual([{ count: 7 }])
  await rm(dataDir, { recursive: true })
})

test('a clone that a retry opens in the middle of a sweep is kept', async () => {
  await using database = await openDatabase()
  const { pool } = database
  const dataDir = await mkdtemp(join(tmpdir(), 'devflow-sweep-'))
  const run = '01985f2e-7a3b-7c4d-8e5f-60718293a4b5'
  await pool.query(
    `insert into devflow.run_heads (run_id, seq, last_at, control, commands, execution_epoch) values ($1, 0, now(), 'over', 0, 0)`,
    [run],
  )
  await mkdir(join(dataDir, 'workspaces', run, 'write-1-1'), { recursive: true })
  const retriedAfterTheLook = new Proxy(pool, {
    get: (_, name) =>
      name === 'query'
        ? async (query: pg.QueryConfig) => {
            const answer = await pool.query(query)
            await mkdir(join(dataDir, 'workspaces', run, 'write-2-1'), { recursive: true })
            return answer
          }
        : Reflect.get(pool, name),
  })
  const log = { debug: () => {}, warn: () => {}, error: () => {}, info: () => {} }
  expect(await sweepWorkspaces({ pool: retriedAfterTheLook, dataDir, log })).toBe(1)
  expect(await readdir(join(dataDir, 'workspaces', run))).toEqual(['write-2-1'])
  await rm(dataDir, { recursive: true })
})

async function openDatabase() {
  const database = await testDatabase()
  const pool = new pg.Pool({ connectionString: database.url, max: 2 })
  return {
    pool,
    [Symbol.asyncDispose]: async () => {
      await pool.end()
      await database.close()
    },
  }
}
