import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import {
  anthropicModel,
  CallSlots,
  createControlActivities,
  createDefinitions,
  createOccasionActivities,
  createPrices,
  createSessionActivities,
  type Deps,
  FunctionPool,
  googleModel,
  offlineModel,
  ollamaModel,
  openAiCompatibleModel,
  openAiModel,
  openRouterModel,
  reconcileCalls,
  scriptedModel,
  terminalModel,
} from '@devflow/activities'
import { DevflowError, scrubber, TEMPORAL } from '@devflow/contracts'
import {
  Listener,
  openPool,
  pruneChunks,
  pruneDeliveries,
  pruneSubmissions,
  pruneTokens,
  requireSchema,
} from '@devflow/db'
import { createLogger, logLastWords, openTracing, repeat, supervised, type Tracing } from '@devflow/process'
import { NativeConnection, Runtime, Worker } from '@temporalio/worker'
import { type Config, readConfig } from './config.ts'
import { Dispatcher } from './dispatcher.ts'
import { faultAt } from './faults.ts'
import { openObservers } from './observers.ts'
import { openSandbox } from './open-sandbox.ts'
import { sweepOrphans } from './orphans/sweep.ts'
import { priceKeeper, takeConfiguredPrices } from './pricing.ts'
import { ScheduleMirror } from './schedules/schedule-mirror.ts'
import { connectLazily } from './temporal.ts'
import { temporalLog } from './temporal-log.ts'
import { TemporalWatch } from './temporal-watch.ts'
import { deliverWebhooks } from './webhooks/deliver.ts'
import { workflowBundle } from './workflow-bundle.ts'

const config = readConfigOrEnd()
let tracing: Tracing | undefined
const log = createLogger({
  name: 'worker',
  level: config.logLevel,
  secrets: config.secrets,
  ...(config.tracing ? { around: () => ({ traceId: tracing?.traceId() }) } : {}),
})
logLastWords(log)
tracing = await openTracing(config.tracing, 'devflow-worker', log)
const dataDir = resolve(config.dataDir)
await mkdir(dataDir, { recursive: true })

Runtime.install({
  // Ending is ours: sessions are handed over first.
  shutdownSignals: [],
  logger: temporalLog(log),
  telemetryOptions: { logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } } },
})

await requireSchema(config.databaseUrl)
const pool = openPool(
  config.databaseUrl,
  {
    max: 16,
    application_name: 'devflow-worker',
    connectionTimeoutMillis: 5_000,
    // Planned once a connection: what reads a report's facts takes ten times longer to plan than to run.
    options: '-c plan_cache_mode=force_generic_plan',
  },
  (error) => log.warn({ err: error }, 'an idle connection to Postgres broke'),
)
const listener = new Listener(config.databaseUrl, {
  onProblem: (error) => log.warn({ err: error }, 'the notification connection to Postgres broke'),
})
const observers = await openObservers({ config, pool, log, tracing })
const writer = observers.writer(config.databaseUrl, {
  onAway: (error) => log.warn({ err: error }, 'Postgres is away; writes wait for it'),
  onBack: () => log.info({}, 'Postgres is back'),
})
const sandbox = await openSandbox(config, log)
const deps: Deps = {
  pool,
  writer,
  listener,
  definitions: createDefinitions(pool),
  adapters: {
    offline: observers.model('offline', offlineModel()),
    scripted: observers.model('scripted', scriptedModel()),
    openrouter: observers.model('openrouter', openRouterModel(config.openrouter)),
    openai: observers.model('openai', openAiModel(config.openai)),
    'openai-compatible': observers.model('openai-compatible', openAiCompatibleModel(config.openAiCompatible)),
    anthropic: observers.model('anthropic', anthropicModel(config.anthropic)),
    google: observers.model('google', googleModel(config.google)),
    ollama: observers.model('ollama', ollamaModel(config.ollama)),
    terminal: observers.model('terminal', terminalModel(config.terminals)),
  },
  prices: createPrices(pool, log),
  slots: new CallSlots(config.sessions, (provider, count) =>
    log.info({ model: provider, count }, 'a provider limits its rate: so many calls go to it at once'),
  ),
  consoleUrl: config.consoleUrl,
  dataDir,
  workspaceRoots: config.workspaceRoots,
  sandbox,
  functions: new FunctionPool({ ...config.functions, sandbox }),
  servers: config.servers,
  secrets: config.secrets,
  scrub: scrubber(config.secrets),
  log,
  observeSession: observers.session,
  times: config.times,
  reach: faultAt(config.faultFile),
}

await takeConfiguredPrices(pool, config.pricing.configured)
const refreshPrices = priceKeeper(
  { pool, log, ...config.openrouter },
  config.openrouter.apiKey === undefined ? 0 : config.pricing.refreshMs,
)

const { address, namespace } = config.temporal
const client = connectLazily(address, namespace, observers.wakes)
const [bundle, connection] = await Promise.all([
  workflowBundle(resolve(config.cacheDir)),
  NativeConnection.connect({ address }),
])
const watch = new TemporalWatch(pool, client, namespace, log)
// Before the dispatcher delivers: what it has just woken would be woken once more, and be over by then.
await watch.begin()
const shared = {
  connection,
  namespace,
  shutdownGraceTime: 0,
  interceptors: { activity: observers.activities },
  shutdownForceTime: config.times.drainMs + 2_000,
}
const workflows = await Worker.create({
  ...shared,
  taskQueue: TEMPORAL.workflowQueue,
  workflowBundle: bundle,
  activities: { ...createControlActivities(deps), ...createOccasionActivities(deps) },
  // A history that does not replay, made by another build or cut in two by a workflow task that timed out, would hold its run
  // up for ever. So it fails its execution alone, and the sweep gives the run another, which goes on by the log (I14).
  workflowFailureErrorTypes: { '*': ['NondeterminismError'] },
  maxCachedWorkflows: config.cachedWorkflows,
  maxConcurrentLocalActivityExecutions: 200,
  stickyQueueScheduleToStartTimeout: config.stickyTimeoutMs,
})
const sessions = await Worker.create({
  ...shared,
  taskQueue: TEMPORAL.sessionQueue,
  activities: createSessionActivities(deps),
  maxConcurrentActivityTaskExecutions: config.sessions,
  maxHeartbeatThrottleInterval: config.times.heartbeatIntervalMs,
  defaultHeartbeatThrottleInterval: config.times.heartbeatIntervalMs,
})

await observers.serve({ workflows, sessions })
const dispatcher = new Dispatcher({ pool, listener, client, log })
const schedules = new ScheduleMirror({ pool, client, log }, config.sweepMs)
const problem = (what: string) => (error: unknown) => log.warn({ err: error }, what)
const ending = new AbortController()
const duties = [
  repeat(1_000, () => watch.look(), problem('could not look after Temporal')),
  repeat(1_000, () => schedules.keep(watch.isThere), problem('could not mirror schedules')),
  repeat(config.sweepMs, () => sweep({ rare: false }), problem('could not look for orphans')),
  repeat(config.times.callBackoffMs, () => reconcileCalls(deps), problem('could not reconcile calls')),
  repeat(1_000, refreshPrices, problem('could not refresh prices')),
  repeat(
    1_000,
    () => deliverWebhooks({ pool, log, ...config.webhooks, signal: ending.signal }),
    problem('could not tell webhooks'),
  ),
  repeat(3_600_000, () => keepHouse(), problem('could not prune or make partitions')),
]

async function keepHouse(): Promise<void> {
  await pool.query('select devflow.make_partitions()')
  const { signal } = ending
  await pruneChunks(pool, new Date(Date.now() - config.chunkRetentionMs), { signal })
  await pruneSubmissions(pool, new Date(Date.now() - config.eventRetentionMs))
  await pruneDeliveries(pool, new Date(Date.now() - config.eventRetentionMs))
  await pruneTokens(pool, new Date(Date.now() - config.eventRetentionMs))
  await sweep({ rare: true })
}

async function sweep({ rare }: { rare: boolean }): Promise<void> {
  const look = { pool, client, dataDir, log, olderThanMs: config.sweepMs }
  await sweepOrphans(look, { rare, onMended: observers.mended })
}

const running = Promise.all([workflows.run(), sessions.run()])
const life = supervised({
  drainMs: config.times.drainMs + 5_000,
  onProblem: (message, cause) => log.error({ err: cause }, message),
  onStop: async () => {
    ending.abort()
    for (const worker of [workflows, sessions]) if (worker.getState() === 'RUNNING') worker.shutdown()
    await Promise.all([...duties.map((duty) => duty.stop()), dispatcher.close()])
    await running
    await deps.functions.close()
    await writer.close()
    await listener.close()
    await pool.end()
    await connection.close()
    await observers.close()
  },
})
running.catch((error: unknown) => {
  log.fatal({ err: error }, 'the worker cannot go on')
  life.stop('SIGTERM', 1)
})
life.ready()
log.info({ address }, `worker is ready in the namespace ${namespace}`)

function readConfigOrEnd(): Config {
  try {
    return readConfig(process.env)
  } catch (error) {
    if (!(error instanceof DevflowError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exit(2)
  }
}
