import { randomUUIDv7 } from 'node:crypto'
import { CHANNELS, DevflowError, ForkRun } from '@devflow/contracts'
import { type ForkAnswer, forkRun, readRun } from '@devflow/db'
import { RunBody } from '../bodies.ts'
import type { ApiDeps } from '../deps.ts'
import { QUEUED, RUN_ID } from '../examples.ts'
import { findRun, NO_RUN, runNotFound } from '../find-run.ts'
import { KEY_HEADER, KEY_PROBLEMS, keyed, keyedResponse, REPLAYED, REPLAYED_HEADER } from '../keyed.ts'
import type { Operations } from '../operation.ts'
import { prepareFork } from '../prepare-fork.ts'

const FORK = { ...QUEUED, forkedFrom: RUN_ID, id: '01985f30-1b2c-7d3e-8f40-5162738495a6' }

/** Why a run cannot be forked there; undefined when it was. */
function refusalOf(said: ForkAnswer, source: string): DevflowError | undefined {
  switch (said.answer) {
    case 'done':
      return undefined
    case 'not_reached':
      return new DevflowError(
        'CONFLICT',
        'phase_not_reached',
        `Phase ${said.phase} of run ${source} comes before it and is not done: fork from ${said.phase} or a phase before it, or wait.`,
        { errors: [{ path: 'fromPhase', message: `comes after ${said.phase}, which is not done` }] },
      )
    case 'compensating':
      return new DevflowError(
        'CONFLICT',
        'run_compensating',
        'What this run had done is being undone: fork it once that is over.',
      )
    case 'not_found':
    case 'unknown_phase':
      // Both were looked at before; the run can have been deleted since.
      return runNotFound(source)
  }
}

export function forkRoutes(operations: Operations, deps: ApiDeps): void {
  const { pool, poker, tenant } = deps

  operations.add(
    {
      method: 'post',
      path: '/v1/runs/{id}/fork',
      operationId: 'forkRun',
      scope: 'runs:write',
      summary: 'Fork a run: a new one goes on from one of its phases',
      description:
        'The new run takes over everything before the top-level phase `fromPhase`, paid results included, at no cost. A changed `input` counts from there on: phases before are not run again. With `bindings` the definition is compiled anew from the entries the run was made of.',
      tag: 'commands',
      body: ForkRun.meta({ id: 'ForkRun' }),
      bodyExamples: {
        'From a phase on': { fromPhase: 'review' },
        'With another persona and input': {
          fromPhase: 'review',
          input: { request: 'Describe the migrations, briefly' },
          bindings: { reviewer: 'fake-reviewer@1' },
        },
      },
      headers: KEY_HEADER,
      answers: {
        201: {
          description: 'The new run; it is committed.',
          schema: RunBody,
          example: FORK,
          headers: { Location: 'Where the new run is.' },
        },
        200: {
          description: REPLAYED,
          schema: RunBody,
          example: FORK,
          headers: { Location: 'Where the new run is.', ...REPLAYED_HEADER },
        },
      },
      problems: [
        ...NO_RUN,
        'unknown_phase',
        'invalid_input',
        'binding_failed',
        'missing_key',
        'plan_too_large',
        'phase_not_reached',
        'run_compensating',
        'entries_changed',
        'workspace_busy',
        ...KEY_PROBLEMS,
      ],
    },
    async ({ c, params: { id = '' }, body, caller }) => {
      await findRun(pool, tenant, id)
      // What is refused now may have been taken before, under the same key: then the first answer counts.
      const preparing = prepareFork(deps, id, body, caller.principal)
      await Promise.allSettled([preparing])
      const answer = await keyed(c, deps, body, async (client) => {
        const prepared = await preparing
        const run = randomUUIDv7()
        const said = await forkRun(client, { source: id, fromPhase: body.fromPhase, run, ...prepared })
        const refusal = refusalOf(said, id)
        if (refusal) throw refusal
        return { status: 201, body: await readRun(client, tenant, run), runId: run }
      })
      if (!answer.replayed) poker.poke(CHANNELS.outbox)
      c.header('location', `/v1/runs/${answer.runId}`)
      return keyedResponse(c, answer)
    },
  )
}
