// Law: the HTTP API, one process. Imports contracts, definition, db, process and Temporal's client.
import { DevflowError } from '@devflow/contracts'
import { requireSchema, warmSubmissions } from '@devflow/db'
import { createLogger, logLastWords, openTracing, supervised, type Tracing } from '@devflow/process'
import { type Config, readConfig } from './config.ts'
import { type Listening, listen } from './listen.ts'
import { openApi } from './open-api.ts'

const config = readConfigOrEnd()
let tracing: Tracing | undefined
const log = createLogger({
  name: 'api',
  level: config.logLevel,
  secrets: config.secrets,
  ...(config.tracing ? { around: () => ({ traceId: tracing?.traceId() }) } : {}),
})
logLastWords(log)
tracing = await openTracing(config.tracing, 'devflow-api', log)
await requireSchema(config.databaseUrl)
const opened = await openApi(config, log, tracing)
let server: Listening | undefined

const child = supervised({
  drainMs: config.drainMs,
  onProblem: (message, cause) => log.error({ err: cause }, message),
  onStop: async (reason) => {
    log.info(`ending: ${reason}`)
    opened.close()
    await server?.close()
    await opened.release()
    await tracing?.close()
  },
})

// A defect in a handler of notifications must not end every stream; requests answer for their own errors.
process.on('unhandledRejection', (error) => log.error({ err: error }, 'a rejection nobody handled'))

server = await listen(opened.api, config).catch(async (error: unknown) => {
  log.fatal({ err: error }, `cannot listen on ${config.host}:${config.port}`)
  await opened.release()
  process.exit(1)
})
log.info(`listening on http://${config.host}:${server.port}`)
opened.deps.registry.tellFaults(child.notice).catch((error: unknown) => {
  log.warn({ err: error }, 'the templates of folders could not be checked')
})
child.ready(server.port)
const { pool, tenant } = opened.deps
warmSubmissions(pool, tenant, pool.options.max).catch((error: unknown) =>
  log.info({ err: error }, 'Postgres is not there yet: the first submissions will be slower'),
)

function readConfigOrEnd(): Config {
  try {
    return readConfig(process.env, process.cwd())
  } catch (error) {
    if (!(error instanceof DevflowError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exit(2)
  }
}
