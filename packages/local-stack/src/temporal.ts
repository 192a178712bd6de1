import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DevflowError, TEMPORAL } from '@devflow/contracts'
import { accepts, freePorts, isFree } from './ports.ts'
import { endOrphan } from './processes.ts'
import { namingPrefix } from './run-as.ts'
import { type Service, startService } from './service.ts'

export interface TemporalOptions {
  /** The `temporal` CLI; see obtainTemporal. */
  program: string
  /** The store's file, made when it is not there. Beside it: `<dbFile>.pid`. */
  dbFile: string
  /** gRPC; any free one unless told. A told one that is taken is an error. */
  port?: number
  /** Any free one unless told. */
  uiPort?: number
  /** `default` unless told; made when it is not there. */
  namespace?: string
  /** More of the server's dynamic configuration, values as JSON: `{'frontend.keepAliveTime': '"5s"'}`. */
  dynamicConfig?: Readonly<Record<string, string>>
  /** `<dbFile>.log` unless told. */
  logFile?: string
  /** Milliseconds a start may take; 60,000 unless told. */
  timeoutMs?: number
  /** The PATH variable, for a user without a name only (unshare). */
  path?: string
}

export interface Temporal extends Service {
  readonly address: string
  readonly port: number
  readonly uiUrl: string
  readonly uiPort: number
  readonly namespace: string
}

const HOST = '127.0.0.1'

/** Finished runs stay visible in Temporal this long; its own default of a day is too short for people. */
const RETENTION_SECONDS = 30 * 24 * 3600

const PRAGMAS = ['journal_mode=wal', 'synchronous=1']

const DYNAMIC_CONFIG = {
  // An activity step costs 28 ms with these and the pragmas, 81 ms without.
  'system.enableActivityEagerExecution': 'true',
  'system.enableEagerWorkflowStart': 'true',
  // Its queues are read at most 20 times a second by default: each task waited up to 50 ms for its turn.
  'history.transferProcessorMaxPollRPS': '200',
  'history.timerProcessorMaxPollRPS': '200',
  // The development server reads its list of search attributes from its store at every use, so that a new one is known at
  // once. Ours are there before it serves. Kept in memory, a run costs the server a fifteenth less.
  'system.forceSearchAttributesCacheRefreshOnRead': 'false',
  // A frozen worker goes on eating tasks as long as its connection lives: 37 s by default, 11 s so.
  'frontend.keepAliveTime': '"5s"',
  'frontend.keepAliveTimeout': '"3s"',
}

/** How often others may take a port before Temporal binds it. */
const MOST_TRIES = 5
const PORT_TAKEN = /address already in use/i

/**
 * Starts Temporal's development server with its UI, the search attributes registered and the retention set, and waits
 * until it serves. Rejects with a DevflowError: `port_taken`, `temporal_failed`.
 */
export async function startTemporal(options: TemporalOptions): Promise<Temporal> {
  const { namespace = 'default', timeoutMs = 60_000 } = options
  const dbFile = resolve(options.dbFile)
  mkdirSync(dirname(dbFile), { recursive: true, mode: 0o700 })
  await endLeftOver(dbFile)
  const until = performance.now() + timeoutMs
  for (let tries = 1; ; tries += 1) {
    const flags = { dbFile, namespace, ...(await portsFor(options)) }
    const service = await startServer(options, flags)
    const admin = `http://${HOST}:${flags.httpPort}/api/v1/namespaces/${encodeURIComponent(namespace)}`
    try {
      await whenServing(service, admin, flags.port, until)
    } catch (error) {
      for (const told of [options.port, options.uiPort]) {
        if (told === undefined || (await isFree(told, HOST))) continue
        const message = `port ${told}, which Temporal was to have, is taken by another process`
        throw new DevflowError('CONFLICT', 'port_taken', message, { cause: error })
      }
      // Those that nobody told were free a moment ago: there are others.
      if (tries === MOST_TRIES || !PORT_TAKEN.test(service.printed())) throw error
      continue
    }
    await keepFinishedRuns(admin)
    return running(service, flags)
  }
}

async function startServer(options: TemporalOptions, flags: ServerFlags): Promise<Service> {
  const { dbFile } = flags
  const [command = '', ...args] = [
    ...namingPrefix(options.path ?? '/usr/bin:/bin'),
    options.program,
    ...serverArgs(flags, options.dynamicConfig),
  ]
  const service = await startService({
    command,
    args,
    // A server built without cgo takes its user's name from here. It gets nothing else of ours.
    env: { USER: 'devflow', HOME: dirname(dbFile) },
    logFile: options.logFile ?? `${dbFile}.log`,
    stopSignal: 'SIGTERM',
  })
  writeFileSync(pidFile(dbFile), `${service.pid}\n`)
  service.exited.then(() => rmSync(pidFile(dbFile), { force: true }))
  return service
}

function running(service: Service, { namespace, port, uiPort }: ServerFlags): Temporal {
  return {
    ...service,
    port,
    uiPort,
    namespace,
    address: `${HOST}:${port}`,
    uiUrl: `http://${HOST}:${uiPort}`,
  }
}

interface Ports {
  port: number
  uiPort: number
  httpPort: number
  metricsPort: number
}

async function portsFor({ port, uiPort }: TemporalOptions): Promise<Ports> {
  const [one = 0, two = 0, httpPort = 0, metricsPort = 0] = await freePorts(4)
  return { port: port ?? one, uiPort: uiPort ?? two, httpPort, metricsPort }
}

interface ServerFlags extends Ports {
  dbFile: string
  namespace: string
}

function serverArgs(flags: ServerFlags, dynamicConfig: Readonly<Record<string, string>> = {}): string[] {
  const repeated = (flag: string, values: readonly string[]) => values.flatMap((value) => [flag, value])
  const config = Object.entries({ ...DYNAMIC_CONFIG, ...dynamicConfig })
  return [
    ['server', 'start-dev', '--ip', HOST, '--db-filename', flags.dbFile, '--namespace', flags.namespace],
    ['--port', `${flags.port}`, '--ui-port', `${flags.uiPort}`, '--http-port', `${flags.httpPort}`],
    ['--metrics-port', `${flags.metricsPort}`, '--log-level', 'warn', '--color', 'never'],
    ['--disable-config-file', '--disable-config-env'],
    repeated('--sqlite-pragma', PRAGMAS),
    repeated(
      '--dynamic-config-value',
      config.map(([key, value]) => `${key}=${value}`),
    ),
    repeated(
      '--search-attribute',
      Object.entries(TEMPORAL.searchAttributes).map(([name, type]) => `${name}=${type}`),
    ),
  ].flat()
}

/** Waits for both interfaces of the frontend: HTTP, which says that it does its work, and gRPC, which opens a little later. */
async function whenServing(service: Service, url: string, port: number, until: number): Promise<void> {
  let end: string | undefined
  service.exited.then((how) => {
    end = how
  })
  while (end === undefined) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.ok && (await accepts(port))) return
    if (performance.now() > until) await service.stop()
    await sleep(20)
  }
  throw new DevflowError(
    'UNAVAILABLE',
    'temporal_failed',
    `Temporal did not start: it ${end}\n${service.printed()}`,
  )
}

async function keepFinishedRuns(url: string): Promise<void> {
  const answer = await fetch(`${url}/update`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ config: { workflowExecutionRetentionTtl: `${RETENTION_SECONDS}s` } }),
    signal: AbortSignal.timeout(10_000),
  })
  if (!answer.ok) {
    throw new DevflowError(
      'UNAVAILABLE',
      'temporal_failed',
      `Temporal refused the retention of finished runs: ${answer.status} ${await answer.text()}`,
    )
  }
  await answer.body?.cancel()
}

const pidFile = (dbFile: string) => `${dbFile}.pid`

/** A server that a killed owner left on this store would go on writing it. */
async function endLeftOver(dbFile: string): Promise<void> {
  const file = pidFile(dbFile)
  if (!existsSync(file)) return
  const pid = Number(readFileSync(file, 'utf8'))
  if (Number.isInteger(pid) && pid > 0) await endOrphan(pid, dbFile, 'SIGTERM')
  rmSync(file, { force: true })
}
