import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { commandRun, decideGate } from './command/index.ts'
import { GroupWriter } from './group-writer.ts'
import { migrate } from './migrate.ts'
import { rebuild } from './rebuild.ts'
import { newRun } from './testing-runs.ts'

/** Where Debian keeps servers, by major version. */
const SERVERS = '/usr/lib/postgresql'
const majors = existsSync(SERVERS)
  ? readdirSync(SERVERS).filter((major) => existsSync(join(SERVERS, major, 'bin', 'postgres')))
  : []

describe.skipIf(majors.length === 0)('the log on an older Postgres', () => {
  test.each(majors)(
    'version %s: migrations, append, decisions, commands and the rebuild check',
    async (major) => {
      await withServer(join(SERVERS, major, 'bin'), async (url) => {
        await migrate(url)
        await migrate(url)
        const pool = new pg.Pool({ connectionString: url })
        const writer = new GroupWriter(url, pool)
        const run = await newRun(pool, { budget: { limitMicroUsd: 10 } })
        const at = { phase: 'p', attempt: 1, turn: 1 }
        const reserved = {
          call: 1,
          persona: 'x',
          provider: 'offline',
          model: 'm',
          reservedMicroUsd: 4.51,
          reservedTokens: 9,
        }
        const answers = await Promise.all([
          writer.append({
            run,
            reserve: { microUsd: 4.51, tokens: 9 },
            lines: [{ type: 'call.reserved', key: 'r', ...at, data: reserved }],
          }),
          writer.append({
            run,
            lines: [{ type: 'chunk', key: 'c', ...at, delivery: 1, kind: 'token', text: 'x' }],
          }),
          writer.append({
            run,
            lines: [
              {
                type: 'call.settled',
                key: 's',
                ...at,
                data: { call: 1, status: 'settled', costMicroUsd: 0.3, costSource: 'provider' },
              },
            ],
          }),
          writer.append({
            run,
            lines: [
              {
                type: 'gate.opened',
                key: 'g',
                phase: 'p',
                attempt: 1,
                data: {
                  gate: 'p',
                  title: 't',
                  subject: [],
                  subjectHash: 'h',
                  quorum: 1,
                  rejectQuorum: 1,
                  requireSubjectHash: false,
                  onReject: 'fail',
                  deadline: 'P10Y',
                },
              },
            ],
          }),
        ])
        expect(answers.map(({ verdict }) => verdict)).toEqual(['written', 'written', 'written', 'written'])
        expect(
          await decideGate(pool, {
            run,
            gate: 'p',
            actor: 'owner',
            holds: ['owner'],
            decision: 'approve',
            via: 'test',
          }),
        ).toBe('accepted')
        expect(await commandRun(pool, { run, verb: 'pause', actor: 'owner', via: 'test' })).toBe('done')
        expect((await rebuild(url, { check: true })).differences).toEqual([])
        await writer.close()
        await pool.end()
      })
    },
    60_000,
  )
})

/** Runs a server of its own, as nobody where we are root: Postgres refuses root. */
async function withServer(bin: string, work: (url: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'devflow-postgres-'))
  const asNobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
  chmodSync(folder, 0o755)
  if ('uid' in asNobody) chownSync(folder, 65_534, 65_534)
  const data = join(folder, 'data')
  execFileSync(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'devflow', '-A', 'trust', '-E', 'UTF8', '--locale=C'],
    { stdio: 'ignore', cwd: folder, ...asNobody },
  )
  const port = await freePort()
  const flags = [
    '-D',
    data,
    '-p',
    String(port),
    '-c',
    'listen_addresses=127.0.0.1',
    '-c',
    'unix_socket_directories=',
    '-c',
    'fsync=off',
  ]
  const server = spawn(join(bin, 'postgres'), flags, { stdio: 'ignore', cwd: folder, ...asNobody })
  const ended = new Promise((resolve) => server.once('exit', resolve))
  const url = `postgres://devflow@127.0.0.1:${port}/postgres`
  try {
    await expect.poll(() => answers(url), { timeout: 20_000 }).toBe(true)
    await work(url)
  } finally {
    // Waits for its clients to leave, whose connections may still be closing.
    server.kill('SIGTERM')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url })
  try {
    await client.connect()
    await client.end()
    return true
  } catch {
    return false
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}
