import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { type PostgresOptions, startPostgres } from './postgres.ts'
import { POSTGRES_MAJOR } from './postgres-programs.ts'
import { testFolder } from './testing/folder.ts'

async function start(options: PostgresOptions) {
  const postgres = await startPostgres({ throwaway: true, path: process.env.PATH, ...options })
  onTestFinished(() => postgres.stop())
  return postgres
}

async function query(url: string, sql: string) {
  const client = new Client(url)
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

test('serves the database devflow, on loopback, to those who know the password', async () => {
  const dataDir = join(testFolder(), 'postgres')
  const { url } = await start({ dataDir })
  const [row] = await query(
    url,
    `select current_database() as name, current_setting('server_version_num')::int / 10000 as major,
     current_setting('listen_addresses') as host, current_setting('password_encryption') as auth,
     'é' ~ '^\\w$' as unicode`,
  )
  expect(row).toEqual({
    name: 'devflow',
    major: POSTGRES_MAJOR,
    host: '127.0.0.1',
    auth: 'scram-sha-256',
    unicode: true,
  })
  expect(statSync(`${dataDir}.password`).mode & 0o777).toBe(0o600)
  const wrong = new URL(url)
  wrong.password = 'guess'
  await expect(query(wrong.href, 'select 1')).rejects.toThrow(/password authentication failed/)
})

test('killed, it is back on the same port at once, with all that was committed', async () => {
  const dataDir = join(testFolder(), 'postgres')
  const first = await start({ dataDir })
  await query(first.url, 'create table kept (n int)')
  await first.kill()
  expect(await first.exited).toBe('killed by SIGKILL')
  const second = await start({ dataDir, port: first.port })
  expect(second.url).toBe(first.url)
  expect(await query(second.url, 'select * from kept')).toEqual([])
})

test('one that a killed owner left behind is ended first', async () => {
  const dataDir = join(testFolder(), 'postgres')
  const left = await start({ dataDir })
  const next = await start({ dataDir })
  expect(await left.exited).toBe('ended with exit code 0')
  expect(await query(next.url, 'select 1 as one')).toEqual([{ one: 1 }])
})

test("a stale lock file that names another's process does not keep it from starting, nor harms that process", async () => {
  const dataDir = join(testFolder(), 'postgres')
  const first = await start({ dataDir })
  await first.stop()
  const other = spawn('sleep', ['60'], { stdio: 'ignore' })
  onTestFinished(() => void other.kill())
  writeFileSync(join(dataDir, 'postmaster.pid'), `${other.pid}\n${dataDir}\n`)
  const second = await start({ dataDir })
  expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }])
  expect(other.exitCode).toBeNull()
})

test("another major version's data are refused and left as they are", async () => {
  const dataDir = join(testFolder(), 'postgres')
  await (await start({ dataDir })).stop()
  writeFileSync(join(dataDir, 'PG_VERSION'), '17\n')
  const starting = start({ dataDir })
  await expect(starting).rejects.toMatchObject({ kind: 'CONFLICT', code: 'postgres_major_changed' })
  expect(readFileSync(join(dataDir, 'PG_VERSION'), 'utf8')).toBe('17\n')
})

test('a taken port is named', async () => {
  const folder = testFolder()
  const { port } = await start({ dataDir: join(folder, 'one') })
  await expect(start({ dataDir: join(folder, 'two'), port })).rejects.toMatchObject({
    code: 'port_taken',
    message: expect.stringContaining(String(port)),
  })
})

test.runIf(process.getuid?.() === 0)('runs for root in a folder that nobody else may enter', async () => {
  const closed = join(testFolder(), 'closed')
  mkdirSync(closed, { mode: 0o700 })
  const { url } = await start({ dataDir: join(closed, 'postgres') })
  expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }])
})
