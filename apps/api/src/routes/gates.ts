import { CHANNELS, DecideGate, GateStatus } from '@devflow/contracts'
import { decideGate, decisionRefusal, listGates } from '@devflow/db'
import { z } from 'zod'
import { GateBody, GatePage } from '../bodies.ts'
import type { ApiDeps } from '../deps.ts'
import { APPROVED, DECISION } from '../examples.ts'
import { findGate, findRun, NO_RUN } from '../find-run.ts'
import { KEY_HEADER, KEY_PROBLEMS, keyed, keyedResponse } from '../keyed.ts'
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
      operationId: 'listGatesOfRun',
      summary: 'List the gates of a run',
      tag,
      query: z.strictObject({ status, ...paging(200, 1_000) }),
      answers: { 200: { description: 'A page of gates.', schema: GatePage } },
      problems: [...NO_RUN, 'bad_cursor'],
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
      operationId: 'listGates',
      summary: 'List gates of all runs, those open longest first',
      tag,
      query: z.strictObject({ status, ...paging(50, 200) }),
      answers: { 200: { description: 'A page of gates.', schema: GatePage } },
      problems: ['bad_cursor'],
    },
    async ({ c, query: { status, ...page } }) => c.json(await listGates(pool, { tenant, status }, page)),
  )

  operations.add(
    {
      method: 'post',
      path: '/v1/runs/{id}/gates/{gate}/decisions',
      operationId: 'decideGate',
      summary: 'Decide a gate',
      tag,
      description:
        'The first decision of a principal counts. The same again is 200, unchanged, also on a closed gate. Send the `subjectHash` of what you looked at. `raiseToMicroUsd` is the new limit at a budget gate; without it the first limit is added.',
      body: DecideGate.meta({ id: 'DecideGate' }),
      bodyExamples: {
        Approve: DECISION,
        Reject: { decision: 'reject', comment: 'The second table is missing' },
        'Raise a budget': { decision: 'approve', raiseToMicroUsd: 1500000 },
      },
      headers: KEY_HEADER,
      answers: {
        200: {
          description: 'The gate: the decision is committed, now or before.',
          schema: GateBody,
          example: APPROVED,
          headers: { 'Idempotency-Replayed': '`true` for a repeated Idempotency-Key.' },
        },
      },
      problems: [
        ...NO_RUN,
        'gate_not_found',
        'not_approver',
        'changes_not_allowed',
        'hash_required',
        'not_a_budget_gate',
        'raise_too_low',
        'gate_closed',
        'decided_otherwise',
        'subject_changed',
        ...KEY_PROBLEMS,
      ],
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
          ...(raiseToMicroUsd === undefined ? {} : { raiseToMicroUsd }),
          via: 'api',
        })
        const refusal = decisionRefusal(said, gate)
        if (refusal) throw refusal
        moved = said === 'accepted'
        return { status: 200, body: await findGate(client, id, gate), runId: id }
      })
      if (moved) poker.poke(CHANNELS.outbox)
      return keyedResponse(c, answer)
    },
  )
}
