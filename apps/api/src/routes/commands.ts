import { CHANNELS, ControlRun, DevflowError, type Run, SendSignal } from '@devflow/contracts'
import { type CommandAnswer, commandRun, readRun, receiveSignal, type Verb } from '@devflow/db'
import { z } from 'zod'
import { RunBody, SignalAccepted } from '../bodies.ts'
import type { ApiDeps } from '../deps.ts'
import { QUEUED, RUN } from '../examples.ts'
import { findRun, NO_RUN, runNotFound } from '../find-run.ts'
import { KEY_HEADER, KEY_PROBLEMS, keyed, keyedResponse, REPLAYED, REPLAYED_HEADER } from '../keyed.ts'
import type { Operations } from '../operation.ts'

const SUMMARIES: Record<Verb, string> = {
  cancel: 'Cancel a run',
  pause: 'Pause a run: the turn under way is finished and kept, nothing else starts',
  resume: 'Resume a paused run',
  retry: 'Retry a failed run at its failed phase',
}

/** The run of the examples after a command. */
const AFTER: Record<Verb, Run> = {
  cancel: { ...QUEUED, status: 'canceled', endedAt: '2026-11-21T08:05:09.000Z', latencyMs: 5377, lastSeq: 2 },
  pause: { ...RUN, status: 'paused', lastSeq: 249 },
  resume: RUN,
  retry: { ...RUN, status: 'running', attempt: 2, lastSeq: 331 },
}

const SignalName = z.string().max(200).meta({ description: 'The name of the signal.', example: 'published' })

/** What no run of that state can do. */
function refusalOf(answer: CommandAnswer, verb: Verb, run: string): DevflowError | undefined {
  if (answer === 'not_found') return runNotFound(run)
  if (answer === 'over')
    return new DevflowError('CONFLICT', 'run_over', `The run has finished: nothing to ${verb}.`)
  if (answer === 'compensated') {
    const message = 'What this run had done has been undone: it cannot go on. Fork it, or submit it again.'
    return new DevflowError('CONFLICT', 'run_compensated', message)
  }
  if (answer === 'not_failed') {
    return new DevflowError('CONFLICT', 'run_not_failed', 'Only a run that has failed can be retried.')
  }
  return undefined
}

export function commandRoutes(operations: Operations, deps: ApiDeps): void {
  const { pool, poker, tenant } = deps

  for (const verb of ['cancel', 'pause', 'resume', 'retry'] as const) {
    operations.add(
      {
        method: 'post',
        path: `/v1/runs/{id}/${verb}`,
        operationId: `${verb}Run`,
        scope: 'runs:write',
        summary: SUMMARIES[verb],
        tag: 'commands',
        body: ControlRun.meta({ id: 'ControlRun' }),
        bodyOptional: true,
        bodyExamples: { 'With a reason': { reason: 'Wrong branch' } },
        headers: KEY_HEADER,
        answers: {
          202: {
            description: 'Taken; the run as it is now. Repeating is harmless.',
            schema: RunBody,
            example: AFTER[verb],
          },
          200: { description: REPLAYED, schema: RunBody, example: AFTER[verb], headers: REPLAYED_HEADER },
        },
        problems: [
          ...NO_RUN,
          ...(verb === 'retry'
            ? (['run_not_failed', 'run_compensated', 'workspace_busy'] as const)
            : (['run_over'] as const)),
          ...KEY_PROBLEMS,
        ],
      },
      async ({ c, params: { id = '' }, body, caller }) => {
        await findRun(pool, tenant, id)
        let moved = false
        const answer = await keyed(c, deps, body, async (client) => {
          const command = { run: id, verb, actor: caller.principal, reason: body.reason, via: 'api' }
          const said = await commandRun(client, command)
          const refusal = refusalOf(said, verb, id)
          if (refusal) throw refusal
          moved = said === 'done'
          return { status: 202, body: await readRun(client, tenant, id), runId: id }
        })
        if (moved) {
          poker.poke(CHANNELS.outbox)
          // Sessions under way hear of it directly; the wake through Temporal follows.
          if (verb === 'cancel' || verb === 'pause') poker.poke(CHANNELS.control, id)
        }
        return keyedResponse(c, answer)
      },
    )
  }

  operations.add(
    {
      method: 'post',
      path: '/v1/runs/{id}/signals/{name}',
      operationId: 'sendSignal',
      scope: 'runs:write',
      summary: 'Send a signal; one that comes before its wait phase is kept',
      tag: 'commands',
      params: { name: SignalName },
      body: SendSignal.meta({ id: 'SendSignal' }),
      bodyOptional: true,
      bodyExamples: { 'With data and an id': { data: { url: 'https://example.com' }, id: 's1' } },
      headers: KEY_HEADER,
      answers: {
        202: { description: 'Taken, or on record already.', schema: SignalAccepted },
        200: { description: REPLAYED, schema: SignalAccepted, headers: REPLAYED_HEADER },
      },
      problems: [...NO_RUN, 'run_over', ...KEY_PROBLEMS],
    },
    async ({ c, params: { id = '', name = '' }, body, caller }) => {
      if (name.length > 200)
        throw new DevflowError('INVALID', 'invalid', 'A signal name has at most 200 characters.')
      await findRun(pool, tenant, id)
      let moved = false
      const answer = await keyed(c, deps, body, async (client) => {
        // Without an id of its own a signal is one of a kind, unless its Idempotency-Key says it came before.
        const signalId = body.id ?? c.req.header('idempotency-key') ?? crypto.randomUUID()
        const signal = { run: id, name, id: signalId, data: body.data, actor: caller.principal }
        const said = await receiveSignal(client, signal)
        if (said === 'not_found') throw runNotFound(id)
        if (said === 'over')
          throw new DevflowError('CONFLICT', 'run_over', 'The run has finished: nobody waits.')
        moved = said === 'done'
        return { status: 202, body: { runId: id, name, id: signalId, duplicate: !moved }, runId: id }
      })
      if (moved) poker.poke(CHANNELS.outbox)
      return keyedResponse(c, answer)
    },
  )
}
