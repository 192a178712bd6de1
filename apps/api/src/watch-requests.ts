import { randomUUID } from 'node:crypto'
import type { OpenSpan } from '@devflow/process'
import type { Context, MiddlewareHandler } from 'hono'
import { routePath } from 'hono/route'
import type { ApiDeps } from './deps.ts'
import type { Metrics } from './metrics.ts'
import type { Env } from './operation.ts'
import { failureOf } from './problems.ts'

const RUN_IN_PATH = /^\/v1\/runs\/([0-9a-f-]{36})(?:\/|$)/i

/**
 * Gives each request its trace id, and makes a figure, a line of the log and a span of it. What is told of is the
 * route, never the path or what was sent.
 */
export function watchRequests(
  { tracing, log }: Pick<ApiDeps, 'tracing' | 'log'>,
  metrics: Metrics,
): MiddlewareHandler<Env> {
  const answer = async (c: Context<Env>, next: () => Promise<void>, traceId: string): Promise<void> => {
    const started = performance.now()
    c.set('traceId', traceId)
    c.header('x-request-id', traceId)
    await next()
    const seconds = (performance.now() - started) / 1_000
    const { method } = c.req
    const { status } = c.res
    metrics.answered(method, routePath(c, -1), status, seconds)
    log.debug(
      { traceId, method, path: routePath(c, -1), status, ms: Math.round(seconds * 1_000) },
      'answered',
    )
  }
  return async (c, next) => {
    if (!tracing) return await answer(c, next, randomUUID())
    const about = {
      name: c.req.method,
      kind: 'server',
      parent: c.req.header('traceparent'),
      attributes: { 'http.request.method': c.req.method },
    } as const
    await tracing.within(about, async (span) => {
      await answer(c, next, span.traceId)
      tellOf(c, span)
    })
  }
}

function tellOf(c: Context<Env>, span: OpenSpan): void {
  const route = routePath(c, -1)
  const { status, headers } = c.res
  span.rename(`${c.req.method} ${route}`)
  span.set({
    'http.route': route,
    'http.response.status_code': status,
    'devflow.run.id': RUN_IN_PATH.exec(headers.get('location') ?? c.req.path)?.[1],
  })
  if (status >= 500) span.fail(c.error ? failureOf(c.error).code : String(status))
}
