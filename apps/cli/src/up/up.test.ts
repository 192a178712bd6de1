import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { getPriority } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { expect, inject, onTestFinished, test, vi } from 'vitest'
import { allPids, dataFolder, isAlive, startUp } from '../testing/start-up.ts'
import { readEndpoints } from './endpoints.ts'

// Whole stacks, on a machine that other tests use too.
vi.setConfig({ testTimeout: 90_000 })

/** The process number of a part that has to be there. */
function pidOf(pid: number | undefined): number {
  if (pid === undefined) throw new Error('no such process')
  return pid
}

const gone = (pids: number[]) => expect.poll(() => pids.filter(isAlive), { timeout: 30_000 }).toEqual([])

async function query(url: string, sql: string) {
  const client = new Client(url)
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

test('says where everything is, and on SIGTERM ends all of it', async () => {
  const data = dataFolder()
  const up = startUp(['--data', data, '--port', '0', '--workers', '2'])
  const ready = await up.ready()
  expect(readFileSync(join(data, 'logs', 'worker-1.log'), 'utf8')).toContain(
    `links lead to ${ready.console}\n`,
  )
  expect(ready.pids.workers).toHaveLength(2)
  expect((await fetch(`${ready.api}/v1/runs?limit=1`)).status).toBe(200)
  expect((await fetch(ready.temporalUi ?? '')).status).toBe(200)
  expect(await query(ready.databaseUrl, 'select 1 as one')).toEqual([{ one: 1 }])
  up.process.kill('SIGTERM')
  expect(await up.ended).toBe(0)
  await gone(allPids(ready))
})

test('whatever part is killed comes back where it was, and so do all at once', async () => {
  const up = startUp(['--data', dataFolder(), '--port', '0'])
  let ready = await up.ready()
  await query(ready.databaseUrl, 'create table kept (n int)')
  for (const part of ['postgres', 'temporal', 'api'] as const) {
    process.kill(pidOf(ready.pids[part]), 'SIGKILL')
    const again = await up.ready()
    expect(again.pids[part]).not.toBe(ready.pids[part])
    expect({ ...again, pids: undefined }).toEqual({ ...ready, pids: undefined })
    ready = again
  }
  for (const pid of allPids(ready)) process.kill(pid, 'SIGKILL')
  const again = await up.ready()
  expect({ ...again, pids: ready.pids }).toEqual(ready)
  expect(allPids(again).filter((pid) => allPids(ready).includes(pid))).toEqual([])
  expect(await query(ready.databaseUrl, 'select * from kept')).toEqual([])
})

test('a frozen worker is killed and replaced', async () => {
  const env = { DEVFLOW_PING_INTERVAL_MS: '50', DEVFLOW_PING_TIMEOUT_MS: '500' }
  const up = startUp(['--data', dataFolder(), '--port', '0'], env)
  const [frozen = 0] = (await up.ready()).pids.workers
  process.kill(frozen, 'SIGSTOP')
  expect((await up.ready()).pids.workers).not.toContain(frozen)
  await gone([frozen])
})

test.runIf(existsSync('/proc/self/autogroup'))(
  'the worker and Temporal go behind API and Postgres',
  async () => {
    const { pids } = await startUp(['--data', dataFolder(), '--port', '0'], {
      DEVFLOW_NICE: undefined,
    }).ready()
    const niceOf = (pid: number) => [
      getPriority(pid),
      Number(/nice (\d+)/.exec(readFileSync(`/proc/${pid}/autogroup`, 'utf8'))?.[1]),
    ]
    for (const pid of [pidOf(pids.temporal), ...pids.workers])
      await expect.poll(() => niceOf(pid)).toEqual([10, 10])
    for (const pid of [pidOf(pids.api), pidOf(pids.postgres)]) expect(niceOf(pid)).toEqual([0, 0])
  },
)

test('when it is killed itself, nothing is left, and the next start finds everything', async () => {
  const data = dataFolder()
  const up = startUp(['--data', data, '--port', '0'])
  const ready = await up.ready()
  await query(ready.databaseUrl, 'create table kept (n int)')
  up.process.kill('SIGKILL')
  // At once: the old parts may still be ending.
  const again = await startUp(['--data', data, '--port', '0']).ready()
  expect(await query(again.databaseUrl, 'select * from kept')).toEqual([])
  await gone(allPids(ready))
})

test('a second one on the same data is refused, one beside it is not', async () => {
  const data = dataFolder()
  const other = dataFolder()
  const [first, beside] = [startUp(['--data', data]), startUp(['--data', other])]
  const [one, two] = await Promise.all([first.ready(), beside.ready()])
  const values = (ready: typeof one) => [
    ready.api,
    ready.temporalUi,
    ready.temporalAddress,
    ready.databaseUrl,
  ]
  expect(new Set([...values(one), ...values(two)]).size).toBe(8)
  const second = startUp(['--data', data])
  expect(await second.ended).toBe(1)
  expect(second.stderr()).toContain(`${data} is in use by another devflow up`)
})

test('a taken port is named together with the way out', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const up = startUp(['--data', dataFolder(), '--port', `${port}`])
  expect(await up.ended).toBe(1)
  expect(up.stderr()).toMatch(new RegExp(`port ${port} .* taken .*--port 0`))
})

test("another Temporal's store is set aside, another Postgres' data are refused", async () => {
  const data = dataFolder()
  const up = startUp(['--data', data, '--port', '0'])
  await up.ready()
  up.process.kill('SIGTERM')
  await up.ended
  const file = join(data, 'versions.json')
  const versions = JSON.parse(readFileSync(file, 'utf8'))
  expect(versions).toEqual({ devflow: '0.1.0', postgres: 18, temporal: expect.stringMatching(/^\d+\.\d+/) })

  writeFileSync(file, JSON.stringify({ ...versions, temporal: '1.0.0' }))
  const next = startUp(['--data', data, '--port', '0'])
  await next.ready()
  next.process.kill('SIGTERM')
  await next.ended
  expect(readdirSync(data)).toContainEqual(expect.stringMatching(/^temporal-1\.0\.0-\d{8}T\d{6}Z\.db$/))

  writeFileSync(file, JSON.stringify({ ...versions, postgres: 17 }))
  const refused = startUp(['--data', data, '--port', '0'])
  expect(await refused.ended).toBe(1)
  expect(refused.stderr()).toMatch(/written by Postgres 17[\s\S]*--data[\s\S]*pg_dump/)
})

/** With these, only API and worker are started. */
const given = { DATABASE_URL: inject('databaseUrl'), TEMPORAL_ADDRESS: inject('temporalAddress') }

test('uses the Postgres and the Temporal it is given as they are', async () => {
  const up = startUp(['--data', dataFolder(), '--port', '0'], given)
  const ready = await up.ready()
  expect(ready).toMatchObject({ databaseUrl: given.DATABASE_URL, temporalAddress: given.TEMPORAL_ADDRESS })
  expect(Object.keys(ready.pids)).toEqual(['api', 'workers'])
})

test('goes on when nobody reads what it says any more', async () => {
  const data = dataFolder()
  const up = startUp(['--data', data, '--port', '0'], given)
  const { pids } = await up.ready()
  up.process.stdout?.destroy()
  for (const pid of pids.workers) process.kill(pid, 'SIGKILL')
  const workers = () => readEndpoints(data)?.pids.workers
  await expect.poll(workers, { timeout: 30_000 }).not.toEqual(pids.workers)
  up.process.kill('SIGTERM')
  expect(await up.ended).toBe(0)
})

test('commands find the stack that runs in their folder', async () => {
  const folder = dataFolder()
  const up = startUp(['--data', join(folder, '.devflow'), '--port', '0'], given)
  await up.ready()
  const main = fileURLToPath(new URL('../main.ts', import.meta.url))
  const args = [main, 'runs', 'list', '--limit', '1', '--json']
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, env: {} })
  expect(JSON.parse(stdout)).toEqual({ items: [] })
})

test('speaks Korean too', async () => {
  const up = startUp(['--data', dataFolder(), '--port', '0', '--once', '--lang', 'ko'], given)
  expect(await up.ended).toBe(3)
  expect(JSON.stringify(up.lines)).toContain('실행이 결정을 기다립니다: Approve the spec?')
})

test('says in Korean too how a part has ended', async () => {
  const up = startUp(['--data', dataFolder(), '--port', '0', '--lang', 'ko'], given)
  const [worker] = (await up.ready()).pids.workers
  process.kill(pidOf(worker), 'SIGKILL')
  await up.ready()
  const text = '워커: SIGKILL 신호로 종료됨. 다시 시작합니다.'
  expect(up.lines).toContainEqual({ event: 'progress', text })
})

test('--once follows the sample, approves its gate, prints the report and ends', async () => {
  const up = startUp(['--data', dataFolder(), '--port', '0', '--once', '--approve'], given)
  expect(await up.ended).toBe(0)
  expect(up.lines).toContainEqual({ event: 'report', markdown: '# The report\n' })
})

test('--once without --approve leaves the decision to a person', async () => {
  const up = startUp(['--data', dataFolder(), '--port', '0', '--once'], given)
  expect(await up.ended).toBe(3)
  expect(JSON.stringify(up.lines)).toContain('waits for a decision: Approve the spec?')
})

test('bad usage ends with 2', async () => {
  expect(await startUp(['--port', 'x']).ended).toBe(2)
  const up = startUp(['--data', dataFolder()], { DEVFLOW_DRAIN_MS: 'soon' })
  expect(await up.ended).toBe(2)
  expect(up.stderr()).toContain('DEVFLOW_DRAIN_MS is wrong')
})
