import { CHANNELS, DecideGate, DevflowError, GateStatus } from '@devflow/contracts'
import { decideGate, decisionRefusal, listGates } from '@devflow/db'
import { z } from 'zod'
import { GateBody, GatePage } from '../bodies.ts'
import type { ApiDeps } from '../deps.ts'
import { findGate, findRun } from '../find-run.ts'
import { KEY_HEADER, keyed, keyedResponse } from '../keyed.ts'
import type { Operations } from '../operation.ts'
import { paging, wordsOf } from '../query.ts'

const status = wordsOf(GateStatus.options).optional()
const tag = 'gates'

export function gateRoutes(operations: Operations, deps: ApiDeps): void {
  const { pool, poker, tenant } = deps

  operations.add(
    {
      method: 'get',
      path: '/v1/runs/{id}/gates',
      summary: 'List the gates of a run',
      tag,
      query: z.strictObject({ status, ...paging(200, 1_000) }),
      answers: { 200: { description: 'A page of gates.', schema: GatePage } },
      problems: { 404: 'NOT_FOUND `run_not_found`, `run_deleted`.' },
    },
    async ({ c, params: { id = '' }, query: { status, ...page } }) => {
      await findRun(pool, tenant, id)
      return c.json(await listGates(pool, { tenant, run: id, status }, page))
    },
  )

  operations.add(
    {
      method: 'get',
      path: '/v1/gates',
      summary: 'List gates of all runs, those open longest first',
      tag,
      query: z.strictObject({ status, ...paging(50, 200) }),
      answers: { 200: { description: 'A page of gates.', schema: GatePage } },
    },
    async ({ c, query: { status, ...page } }) => c.json(await listGates(pool, { tenant, status }, page)),
  )

  operations.add(
    {
      method: 'post',
      path: '/v1/runs/{id}/gates/{gate}/decisions',
      summary: 'Decide a gate',
      tag,
      body: DecideGate,
      headers: KEY_HEADER,
      answers: {
        200: { description: 'The gate: the decision is committed, now or before.', schema: GateBody },
      },
      problems: {
        403: 'PERMISSION_DENIED `not_approver`, or the caller is refused.',
        404: 'NOT_FOUND `run_not_found`, `run_deleted`, `gate_not_found`.',
        409: 'CONFLICT `gate_closed`, `decided_otherwise`, `subject_changed`, `idempotency_key_in_use`.',
        422: 'INVALID `idempotency_key_reused`.',
      },
    },
    async ({ c, params: { id = '', gate = '' }, body, caller }) => {
      await findRun(pool, tenant, id)
      const { decision, comment, subjectHash, raiseToMicroUsd } = body
      let moved = false
      const answer = await keyed(c, deps, body, async (client) => {
        const said = await decideGate(client, {
          run: id,
          gate,
          actor: caller.principal,
          holds: caller.holds,
          decision,
          comment,
          subjectHash,
          via: 'api',
        })
        const refusal = decisionRefusal(said, gate)
        if (refusal) throw refusal
        if (said === 'accepted' && raiseToMicroUsd !== undefined) {
          const errors = [{ path: 'raiseToMicroUsd', message: 'only a budget gate takes it' }]
          throw new DevflowError('INVALID', 'not_a_budget_gate', 'This gate raises no budget.', { errors })
        }
        moved = said === 'accepted'
        return { status: 200, body: await findGate(client, id, gate), runId: id }
      })
      if (moved) poker.poke(CHANNELS.outbox)
      return keyedResponse(c, answer)
    },
  )
}
