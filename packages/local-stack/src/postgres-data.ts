import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { DevflowError } from '@devflow/contracts'
import { POSTGRES_MAJOR, type PostgresPrograms } from './postgres-programs.ts'
import { commandOf, endOrphan } from './processes.ts'
import type { RunAs } from './run-as.ts'

/** The superuser and the database that Devflow uses. */
export const POSTGRES_USER = 'devflow'
export const POSTGRES_DATABASE = 'devflow'

const run = promisify(execFile)

/**
 * Makes a database cluster unless there is one, and answers its superuser's password, kept beside it in
 * `<dataDir>.password` (0600). All or nothing: a crash in the middle leaves no half cluster under this name.
 */
export async function initializeData(
  dataDir: string,
  programs: PostgresPrograms,
  as: RunAs,
  throwaway: boolean,
): Promise<string> {
  const passwordFile = `${dataDir}.password`
  if (existsSync(join(dataDir, 'PG_VERSION'))) {
    checkMajor(dataDir)
    return readFileSync(passwordFile, 'utf8').trim()
  }
  const fresh = `${dataDir}.new`
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(fresh, { recursive: true, mode: 0o700 })
  as.give(fresh)
  const password = randomBytes(24).toString('base64url')
  rmSync(passwordFile, { force: true })
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 })
  as.give(passwordFile)
  const options = [
    ['-D', fresh, '-U', POSTGRES_USER, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'],
    // The same order of strings on every system, whatever its locales.
    ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
    // All that commit wait while a new file of the write-ahead log is filled with zeros: 50 ms for the usual 16 MB.
    ['--wal-segsize=4'],
    throwaway ? ['--no-sync'] : [],
  ].flat()
  await call(programs.initdb, options, as)
  const single = ['--single', '-D', fresh, 'postgres']
  await call(programs.postgres, single, as, `CREATE DATABASE ${POSTGRES_DATABASE}\n`)
  const self = process.getuid?.()
  if (self === 0) chownSync(passwordFile, 0, 0)
  renameSync(fresh, dataDir)
  return password
}

/**
 * Makes way after a crash: ends a Postgres that a killed owner left on this data, and removes a lock file that names a
 * process number which is another process's by now (Postgres would take that one for itself and refuse to start).
 */
export async function clearStale(dataDir: string): Promise<void> {
  const file = join(dataDir, 'postmaster.pid')
  if (!existsSync(file)) return
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0])
  if (!Number.isInteger(pid) || pid <= 0) return
  await endOrphan(pid, dataDir, 'SIGINT')
  if (!commandOf(pid).includes(dataDir)) rmSync(file, { force: true })
}

/** The port of a Postgres that serves, and only if it is the process `pid`: the last line of its lock file says so. */
export function isServing(dataDir: string, pid: number): boolean {
  const file = join(dataDir, 'postmaster.pid')
  if (!existsSync(file)) return false
  const lines = readFileSync(file, 'utf8').split('\n')
  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready'
}

function checkMajor(dataDir: string): void {
  const found = readFileSync(join(dataDir, 'PG_VERSION'), 'utf8').trim()
  if (found === String(POSTGRES_MAJOR)) return
  throw otherMajor(dataDir, found)
}

export function otherMajor(dataDir: string, found: string): DevflowError {
  return new DevflowError(
    'CONFLICT',
    'postgres_major_changed',
    [
      `${dataDir} was written by Postgres ${found}; this Devflow brings Postgres ${POSTGRES_MAJOR}, which cannot read it. Nothing was changed. Ways out:`,
      `- start a new data folder: devflow up --data <another folder>`,
      `- keep the data: start the Devflow that wrote it, pg_dump its database (the ready line of devflow up --json names it), then restore the dump into the database of a new data folder`,
      `- run a Postgres ${found} on this data yourself and set DATABASE_URL to it`,
    ].join('\n'),
  )
}

async function call(program: string, args: string[], as: RunAs, input = ''): Promise<void> {
  const [command = program, ...rest] = [...as.prefixNamed, program, ...args]
  const { uid, gid } = as
  const calling = run(command, rest, { uid, gid, cwd: '/', env: { LC_ALL: 'C', TZ: 'UTC' } })
  calling.child.stdin?.end(input)
  try {
    await calling
  } catch (cause) {
    throw postgresProblem(cause instanceof Error ? cause.message : String(cause), cause)
  }
}

/** What a Postgres that did not start has printed, as an error that says what to do. */
export function postgresProblem(printed: string, cause?: unknown): DevflowError {
  const text = printed.trim().slice(-1500)
  if (/No space left on device/i.test(text)) {
    return new DevflowError(
      'UNAVAILABLE',
      'disk_full',
      'the disk with the data folder is full: free some space and start again, nothing is lost',
      { cause },
    )
  }
  if (/could not look up effective user ID|unshare failed/.test(text)) {
    return new DevflowError(
      'UNAVAILABLE',
      'no_user_name',
      'Postgres wants its user to have a name, and this one is a bare number: add it to /etc/passwd, or set DATABASE_URL to a running Postgres 15 to 18',
      { cause },
    )
  }
  return new DevflowError('UNAVAILABLE', 'postgres_failed', `Postgres did not start:\n${text}`, { cause })
}
