import { mkdirSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DevflowError } from '@devflow/contracts'
import { freePorts } from './ports.ts'
import {
  clearStale,
  initializeData,
  isServing,
  POSTGRES_DATABASE,
  POSTGRES_USER,
  postgresProblem,
} from './postgres-data.ts'
import { postgresPrograms } from './postgres-programs.ts'
import { runAs } from './run-as.ts'
import { type Service, startService } from './service.ts'

export interface PostgresOptions {
  /** The cluster's folder, made when it is not there. Beside it: `<dataDir>.password`, `<dataDir>.new` while it is made. */
  dataDir: string
  /** Any free one unless told. A told one that is taken is an error. */
  port?: number
  /** More of postgresql.conf, as `{fsync: 'off'}`. */
  settings?: Readonly<Record<string, string | number>>
  /** For tests: gives durability up for speed. */
  throwaway?: boolean
  /** `<dataDir>.log` unless told. */
  logFile?: string
  /** Milliseconds a start may take, crash recovery included; 120,000 unless told. */
  timeoutMs?: number
  /** The PATH variable, for root in a closed folder only (setpriv). */
  path?: string
}

export interface Postgres extends Service {
  readonly port: number
  /** `postgres://…` of the superuser, with the password: a secret. */
  readonly url: string
}

/** Trouble that passes: the kernel still holds a killed server's memory, or another process was quicker to the port. */
const PASSING = /pre-existing shared memory block|lock file .* already exists/i
const PORT_TAKEN = /could not bind|could not create any TCP\/IP sockets/i

const DEFAULTS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: 100,
  timezone: 'UTC',
  log_timezone: 'UTC',
  // As it is by default where the files of the write-ahead log have their usual size.
  max_wal_size: '1GB',
  min_wal_size: '80MB',
}

/**
 * Starts the embedded Postgres and waits until it serves. Rejects with a DevflowError: `postgres_major_changed`,
 * `port_taken`, `disk_full`, `postgres_failed`, `no_postgres`, `folder_closed`.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const { throwaway = false, timeoutMs = 120_000, path = '/usr/bin:/bin' } = options
  const programs = await postgresPrograms()
  const wanted = resolve(options.dataDir)
  mkdirSync(dirname(wanted), { recursive: true, mode: 0o700 })
  const dataDir = join(realpathSync(dirname(wanted)), basename(wanted))
  const as = runAs([programs.postgres, dirname(dataDir)], path)
  const password = await initializeData(dataDir, programs, as, throwaway)
  await clearStale(dataDir)

  const settings = { ...DEFAULTS, ...(throwaway ? { fsync: 'off', full_page_writes: 'off' } : {}) }
  const until = performance.now() + timeoutMs
  for (;;) {
    const port = options.port ?? (await freePorts(1))[0] ?? 0
    const conf = Object.entries({ ...settings, ...options.settings, port })
    const [command = '', ...args] = [
      ...as.prefix,
      programs.postgres,
      '-D',
      dataDir,
      ...conf.flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ]
    const service = await startService({
      command,
      args,
      env: { LC_ALL: 'C', TZ: 'UTC' },
      cwd: '/',
      logFile: options.logFile ?? `${dataDir}.log`,
      // Fast shutdown: sessions are cut, everything committed is kept.
      stopSignal: 'SIGINT',
      uid: as.uid,
      gid: as.gid,
    })
    if (await servesOrEnds(service, dataDir, until)) {
      const url = `postgres://${POSTGRES_USER}:${password}@127.0.0.1:${port}/${POSTGRES_DATABASE}`
      return { ...service, port, url }
    }
    const printed = service.printed()
    const portTaken = PORT_TAKEN.test(printed)
    if (portTaken && options.port !== undefined) throw portTakenError(options.port)
    if (!(portTaken || PASSING.test(printed)) || performance.now() > until) throw postgresProblem(printed)
    await sleep(100)
  }
}

async function servesOrEnds(service: Service, dataDir: string, until: number): Promise<boolean> {
  let ended = false
  service.exited.then(() => {
    ended = true
  })
  while (!ended) {
    if (isServing(dataDir, service.pid)) return true
    if (performance.now() > until) await service.stop()
    await sleep(5)
  }
  return false
}

const portTakenError = (port: number) =>
  new DevflowError('CONFLICT', 'port_taken', `port ${port} is taken by another process`)
