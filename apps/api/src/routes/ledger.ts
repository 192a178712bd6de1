import { Call } from '@devflow/contracts'
import { readAudit, readCalls } from '@devflow/db'
import { z } from 'zod'
import { AuditPage, CallPage } from '../bodies.ts'
import { CSV, CSV_NOTE, csvResponse, wantsCsv } from '../csv.ts'
import type { ApiDeps } from '../deps.ts'
import { findRun, NO_RUN } from '../find-run.ts'
import type { Operations } from '../operation.ts'
import { paging } from '../query.ts'

const query = z.strictObject(paging(1_000, 1_000))
const columns = Object.keys(Call.shape) as (keyof Call)[]
const problems = [...NO_RUN, 'bad_cursor'] as const

export function ledgerRoutes(operations: Operations, deps: ApiDeps): void {
  const { pool, tenant } = deps

  operations.add(
    {
      method: 'get',
      path: '/v1/runs/{id}/calls',
      operationId: 'listCalls',
      scope: 'runs:read',
      summary: 'List the model calls of a run: the ledger',
      description: CSV_NOTE,
      tag: 'ledger',
      query,
      answers: {
        200: {
          description: 'A page of calls, oldest first.',
          schema: CallPage,
          other: { [CSV]: 'All calls, a line each.' },
        },
      },
      problems,
    },
    async ({ c, params: { id = '' }, query }) => {
      await findRun(pool, tenant, id)
      if (wantsCsv(c)) {
        const next = (cursor: string | undefined) =>
          readCalls(pool, id, { limit: 1_000, ...(cursor === undefined ? {} : { cursor }) })
        return await csvResponse<Call>(c, { name: `calls-of-${id}`, columns }, next)
      }
      return c.json(await readCalls(pool, id, query))
    },
  )

  operations.add(
    {
      method: 'get',
      path: '/v1/runs/{id}/audit',
      operationId: 'listToolCalls',
      scope: 'runs:read',
      summary: 'List the tool calls of a run',
      tag: 'ledger',
      query,
      answers: { 200: { description: 'A page of tool calls, oldest first.', schema: AuditPage } },
      problems,
    },
    async ({ c, params: { id = '' }, query }) => {
      await findRun(pool, tenant, id)
      return c.json(await readAudit(pool, id, query))
    },
  )
}
