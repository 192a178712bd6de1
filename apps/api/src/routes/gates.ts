import { CHANNELS, DecideGate, DelegateGate, GateStatus, RunId } from '@devflow/contracts'
import {
  type DecisionAnswer,
  decideGate,
  decisionRefusal,
  delegateGate,
  listGates,
  noteRefusal,
} from '@devflow/db'
import { z } from 'zod'
import { GateBody, GatePage } from '../bodies.ts'
import type { ApiDeps } from '../deps.ts'
import { APPROVED, DECISION, DELEGATED } from '../examples.ts'
import { findGate, findRun, NO_RUN, runNotFound } from '../find-run.ts'
import { KEY_HEADER, KEY_PROBLEMS, keyed, keyedResponse, keyedStatement } from '../keyed.ts'
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
      scope: ['runs:read', 'gates:decide'],
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
      scope: ['runs:read', 'gates:decide'],
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
      scope: 'gates:decide',
      summary: 'Decide a gate',
      tag,
      description:
        'The first decision of a principal counts. The same again is 200, unchanged, also on a closed gate. Send the `subjectHash` of what you looked at. `raiseToMicroUsd` is the new limit at a budget gate; without it the first limit is added.',
      body: DecideGate.meta({ id: 'DecideGate' }),
      bodyExamples: {
        Approve: DECISION,
        Reject: { decision: 'reject', comment: 'The second table is missing' },
        'Request changes': { decision: 'request_changes', comment: 'Name the owner of each table' },
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
        'rounds_exhausted',
        'subject_changed',
        ...KEY_PROBLEMS,
      ],
    },
    async ({ c, params: { id = '', gate = '' }, body, caller }) => {
      if (!RunId.safeParse(id).success) throw runNotFound(id)
      const { decision, comment, subjectHash, raiseToMicroUsd } = body
      const who = { run: id, gate, actor: caller.principal, decision, via: 'api' }
      let moved = false
      let said: DecisionAnswer | undefined
      const answer = await keyedStatement(c, deps, body, async (db) => {
        said = await decideGate(db, {
          ...who,
          tenant,
          holds: caller.holds,
          comment,
          subjectHash,
          ...(raiseToMicroUsd === undefined ? {} : { raiseToMicroUsd }),
        })
        // Says whether it was deleted, or never was.
        if (said === 'unknown_run') await findRun(db, tenant, id)
        const refusal = decisionRefusal(said, gate)
        if (refusal) throw refusal
        moved = said === 'accepted'
        return { status: 200, body: await findGate(db, id, gate), runId: id }
      }).catch(async (error: unknown) => {
        // What was refused left nothing: that it was is said apart.
        if (said !== undefined) await noteRefusal(pool, { ...who, answer: said })
        throw error
      })
      if (moved) poker.poke(CHANNELS.outbox)
      return keyedResponse(c, answer)
    },
  )

  operations.add(
    {
      method: 'post',
      path: '/v1/runs/{id}/gates/{gate}/delegations',
      operationId: 'delegateGate',
      scope: 'gates:decide',
      summary: 'Let somebody else decide a gate in your place',
      tag,
      description:
        'From then on they decide and you do not, at this opening of the gate; name somebody else to change that, as long as they have not. Whoever has it may hand it on, but not in a circle.',
      body: DelegateGate.meta({ id: 'DelegateGate' }),
      bodyExamples: { 'To a colleague': { to: 'bob', comment: 'I am away until Monday' } },
      headers: KEY_HEADER,
      answers: {
        200: {
          description: 'The gate, with who decides in whose place.',
          schema: GateBody,
          example: DELEGATED,
          headers: { 'Idempotency-Replayed': '`true` for a repeated Idempotency-Key.' },
        },
      },
      problems: [
        ...NO_RUN,
        'gate_not_found',
        'not_approver',
        'gate_closed',
        'delegation_circle',
        'decided_already',
        ...KEY_PROBLEMS,
      ],
    },
    async ({ c, params: { id = '', gate = '' }, body, caller }) => {
      await findRun(pool, tenant, id)
      const { to, comment } = body
      const answer = await keyed(c, deps, body, async (client) => {
        const said = await delegateGate(client, {
          run: id,
          gate,
          actor: caller.principal,
          holds: caller.holds,
          to,
          ...(comment === undefined ? {} : { comment }),
          via: 'api',
        })
        const refusal = decisionRefusal(said, gate)
        if (refusal) throw refusal
        return { status: 200, body: await findGate(client, id, gate), runId: id }
      })
      return keyedResponse(c, answer)
    },
  )
}
