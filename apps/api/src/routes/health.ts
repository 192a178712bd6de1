import { DevflowError } from '@devflow/contracts'
import { z } from 'zod'
import { named } from '../bodies.ts'
import type { ApiDeps } from '../deps.ts'
import type { Metrics } from '../metrics.ts'
import type { Operations } from '../operation.ts'

const tag = 'health'

const Alive = named('Alive', { status: z.literal('ok') }, { status: 'ok' })
const Ready = named('Ready', { status: z.literal('ready') }, { status: 'ready' })

export function healthRoutes(operations: Operations, { readiness }: ApiDeps, metrics: Metrics): void {
  operations.add(
    {
      method: 'get',
      path: '/healthz',
      operationId: 'checkHealth',
      scope: 'any',
      summary: 'Whether the process is alive',
      tag,
      answers: { 200: { description: 'It is.', schema: Alive } },
    },
    ({ c }) => c.json({ status: 'ok' }),
  )

  operations.add(
    {
      method: 'get',
      path: '/readyz',
      operationId: 'checkReadiness',
      scope: 'any',
      summary: 'Whether runs can be taken and go on: Postgres, Temporal, workers polling',
      tag,
      answers: { 200: { description: 'They can.', schema: Ready } },
      problems: ['not_ready'],
    },
    async ({ c }) => {
      const missing = await readiness.missing()
      if (missing.length === 0) return c.json({ status: 'ready' })
      const errors = missing.map(({ part, message }) => ({ path: part, message }))
      const message = missing.map((each) => each.message).join(' ')
      throw new DevflowError('UNAVAILABLE', 'not_ready', message, { errors, retryAfter: 2 })
    },
  )

  operations.add(
    {
      method: 'get',
      path: '/metrics',
      operationId: 'readMetrics',
      scope: 'any',
      summary: 'Figures for Prometheus',
      tag,
      answers: { 200: { description: 'The figures.', other: { 'text/plain': 'Prometheus text format.' } } },
    },
    async ({ c }) => {
      c.header('content-type', metrics.contentType)
      return c.body(await metrics.text())
    },
  )
}
