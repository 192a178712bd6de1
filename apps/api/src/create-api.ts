import { randomUUID } from 'node:crypto'
import { DevflowError } from '@devflow/contracts'
import { tokenOfHash } from '@devflow/db'
import type { Context } from 'hono'
import { getCookie } from 'hono/cookie'
import { callerOf, NOBODY } from './caller.ts'
import type { ApiDeps } from './deps.ts'
import { guard } from './guard.ts'
import { PokeHub } from './live/poke-hub.ts'
import { RunFeeds } from './live/run-feeds.ts'
import { Metrics } from './metrics.ts'
import { Api, type Env, Operations } from './operation.ts'
import { failureOf, problemResponse } from './problems.ts'
import { accessRoutes } from './routes/access.ts'
import { artifactRoutes } from './routes/artifacts.ts'
import { budgetRoutes } from './routes/budgets.ts'
import { commandRoutes } from './routes/commands.ts'
import { diffRoutes } from './routes/diff.ts'
import { docsRoutes } from './routes/docs.ts'
import { eventRoutes } from './routes/events.ts'
import { forkRoutes } from './routes/fork.ts'
import { gateRoutes } from './routes/gates.ts'
import { healthRoutes } from './routes/health.ts'
import { ledgerRoutes } from './routes/ledger.ts'
import { pageRoutes } from './routes/pages.ts'
import { previewRoutes } from './routes/preview.ts'
import { pricingRoutes } from './routes/pricing.ts'
import { registryRoutes } from './routes/registry.ts'
import { runRoutes } from './routes/runs.ts'
import { scheduleRoutes } from './routes/schedules.ts'
import { schemaRoutes } from './routes/schemas.ts'
import { streamRoutes } from './routes/stream.ts'
import { topicEventRoutes } from './routes/topic-events.ts'
import { triggerRoutes } from './routes/triggers.ts'
import { usageRoutes } from './routes/usage.ts'
import { webhookRoutes } from './routes/webhooks.ts'
import { SESSION_COOKIE, SESSION_PATH } from './session-cookie.ts'
import { watchRequests } from './watch-requests.ts'

/** The HTTP API over its dependencies; it opens no port. */
export function createApi(deps: ApiDeps): Api {
  const api = new Api()
  const onProblem = (error: unknown) => deps.log.warn({ err: error }, 'reading for streams failed')
  const feeds = new RunFeeds({ pool: deps.pool, watch: deps.watch, onProblem })
  const hub = new PokeHub({ pool: deps.pool, watch: deps.watch, onProblem })
  const metrics = new Metrics({ ...deps, feeds, hub })

  const find = (hash: string) => tokenOfHash(deps.pool, hash)

  api.use(watchRequests(deps, metrics))
  api.use(async (c, next) => {
    c.header('x-content-type-options', 'nosniff')
    c.header('cache-control', 'no-store')
    const { headers } = c.req.raw
    guard(headers, c.req.url, deps.host)
    const credentials = {
      authorization: headers.get('authorization'),
      session: getCookie(c, SESSION_COOKIE),
    }
    c.set('caller', c.req.path === SESSION_PATH ? NOBODY : await callerOf(credentials, { ...deps, find }))
    await next()
  })
  api.notFound((c) => {
    throw new DevflowError('NOT_FOUND', 'not_found', `There is nothing at ${c.req.path.slice(0, 200)}.`)
  })
  api.onError((error, c) => refuse(error, c, deps))

  const operations = new Operations(api, deps)
  runRoutes(operations, deps)
  previewRoutes(operations, deps)
  commandRoutes(operations, deps)
  forkRoutes(operations, deps)
  diffRoutes(operations, deps)
  eventRoutes(operations, deps, feeds)
  gateRoutes(operations, deps)
  artifactRoutes(operations, deps)
  ledgerRoutes(operations, deps)
  budgetRoutes(operations, deps)
  usageRoutes(operations, deps)
  pricingRoutes(operations, deps)
  registryRoutes(operations, deps)
  accessRoutes(operations, deps)
  streamRoutes(operations, deps, hub)
  topicEventRoutes(operations, deps)
  triggerRoutes(operations, deps)
  scheduleRoutes(operations, deps)
  webhookRoutes(operations, deps)
  healthRoutes(operations, deps, metrics)
  docsRoutes(operations, api, deps)
  pageRoutes(operations)
  schemaRoutes(operations)
  operations.mount()
  return api
}

function refuse(error: Error, c: Context<Env>, { log, scrub }: ApiDeps): Response {
  const traceId = c.get('traceId') ?? randomUUID()
  const failure = failureOf(error)
  if (failure.status >= 500)
    log.error({ err: error, traceId, method: c.req.method, path: c.req.path }, failure.code)
  const response = problemResponse(scrub(failure), { instance: scrub(c.req.path), traceId })
  for (const name of ['allow', 'x-request-id', 'x-content-type-options', 'cache-control']) {
    const value = c.res.headers.get(name)
    if (value !== null) response.headers.set(name, value)
  }
  return response
}
