import { randomUUIDv7 } from 'node:crypto'
import { CHANNELS, DevflowError, EntryId, RUN_STATUSES, type Run } from '@devflow/contracts'
import { eraseRun, keepAnswer, listRuns, readPhases, readRun, submitRun } from '@devflow/db'
import type { Context } from 'hono'
import { z } from 'zod'
import { PhasePage, RunBody, RunPage, SubmitBody } from '../bodies.ts'
import type { ApiDeps } from '../deps.ts'
import { QUEUED, RUN_ID } from '../examples.ts'
import { findRun, NO_RUN, runNotFound } from '../find-run.ts'
import { KEY_HEADER, KEY_PROBLEMS, keyed, keyedResponse, REPLAYED, REPLAYED_HEADER } from '../keyed.ts'
import { LONGEST_WAIT, preferredWait, waitForRun } from '../live/wait-for-run.ts'
import type { Env, Operations } from '../operation.ts'
import { prepareRun } from '../prepare-run.ts'
import { paging, time, wordsOf } from '../query.ts'

const PREFER = {
  Prefer: `wait=N (RFC 7240): the answer comes when the run is over or waits for someone, after N seconds (${LONGEST_WAIT} at most) at the latest.`,
}
const WAITED = { 'Preference-Applied': 'The wait that was applied, if any was asked for.' }
const tag = 'runs'

const LINKS = Object.fromEntries(
  ['readRun', 'readEvents', 'listGatesOfRun', 'cancelRun', 'pauseRun', 'resumeRun', 'readReport'].map(
    (id) => [id, { id: '$response.body#/id' }],
  ),
)

const SUBMISSIONS = {
  'Without any key of a provider': {
    template: 'spec-and-review@1',
    input: { request: 'Describe the migrations' },
    bindings: {
      'spec-writer': 'offline-spec-writer@1',
      reviewer: 'fake-reviewer@1',
      verifier: 'offline-verifier@1',
    },
  },
  'The least': { template: 'spec-and-review@1', input: { request: 'Describe the migrations' } },
  'With everything': {
    template: 'spec-and-review@1',
    input: { request: 'Describe how the tests are organised' },
    bindings: { reviewer: 'fake-reviewer@1' },
    budget: { limitMicroUsd: 250000, limitTokens: 400000, onExceeded: 'block' },
    workspace: { repo: '/home/you/project', base: 'main' },
    labels: { team: 'web' },
    parent: RUN_ID,
  },
}

const ListQuery = z.strictObject({
  status: wordsOf(RUN_STATUSES).optional(),
  template: EntryId.optional(),
  createdAfter: time.optional(),
  createdBefore: time.optional(),
  ...paging(50, 200),
})

export function runRoutes(operations: Operations, deps: ApiDeps): void {
  const { pool, poker, tenant } = deps

  operations.add(
    {
      method: 'post',
      path: '/v1/runs',
      operationId: 'submitRun',
      scope: 'runs:write',
      summary: 'Submit a run',
      description:
        'The answer comes after the commit; Temporal need not be there. Only `template` is required: without a version its newest is taken.',
      tag,
      body: SubmitBody,
      bodyExamples: SUBMISSIONS,
      headers: { ...KEY_HEADER, ...PREFER },
      answers: {
        201: {
          description: 'The run; it is committed.',
          schema: RunBody,
          example: QUEUED,
          headers: { Location: 'Where the run is.', ...WAITED },
          links: LINKS,
        },
        200: {
          description: REPLAYED,
          schema: RunBody,
          headers: { Location: 'Where the run is.', ...REPLAYED_HEADER },
        },
      },
      problems: [
        'invalid_input',
        'invalid_template',
        'plan_too_large',
        'binding_failed',
        'missing_key',
        'not_a_repository',
        'workspace_outside_roots',
        'workspace_busy',
        'template_not_found',
        'run_not_found',
        'run_deleted',
        ...KEY_PROBLEMS,
      ],
    },
    async ({ c, body, caller }) => {
      // What is refused now may have been taken before, under the same key: then the first answer counts.
      const preparing = prepareRun(deps, body, caller.principal)
      await Promise.allSettled([preparing])
      const answer = await keyed(c, deps, body, async (client, commit) => {
        const prepared = await preparing
        if (body.parent) await findRun(client, tenant, body.parent)
        const run = randomUUIDv7()
        const submitting = submitRun(client, { run, tenant, ...prepared })
        const viewing = viewOf(client, run)
        // All goes out together, unless the run must have a slot first.
        if (!prepared.submitted.workspace?.exclusive) commit?.()
        const [view] = await Promise.all([viewing, submitting])
        return { status: 201, body: view, runId: run }
      })
      if (!answer.replayed) poker.poke(CHANNELS.outbox)
      c.header('location', `/v1/runs/${answer.runId}`)
      const waited = answer.replayed ? undefined : await wait(c, answer.runId)
      if (waited && answer.key !== undefined) await keepAnswer(pool, tenant, answer.key, waited)
      return keyedResponse(c, waited ? { ...answer, body: waited } : answer)
    },
  )

  operations.add(
    {
      method: 'get',
      path: '/v1/runs',
      operationId: 'listRuns',
      scope: 'runs:read',
      summary: 'List runs, newest first',
      tag,
      query: ListQuery,
      labels: true,
      answers: { 200: { description: 'A page of runs.', schema: RunPage } },
      problems: ['bad_cursor'],
    },
    async ({ c, query, labels }) => {
      const { cursor, limit, ...filter } = query
      return c.json(await listRuns(pool, { tenant, labels, ...filter }, { cursor, limit }))
    },
  )

  operations.add(
    {
      method: 'get',
      path: '/v1/runs/{id}',
      operationId: 'readRun',
      scope: 'runs:read',
      summary: 'Read a run',
      tag,
      headers: PREFER,
      answers: { 200: { description: 'The run.', schema: RunBody, headers: WAITED } },
      problems: NO_RUN,
    },
    async ({ c, params: { id = '' } }) => {
      await findRun(pool, tenant, id)
      const run = (await wait(c, id)) ?? (await viewOf(pool, id))
      return c.json(run)
    },
  )

  operations.add(
    {
      method: 'get',
      path: '/v1/runs/{id}/phases',
      operationId: 'listPhases',
      scope: 'runs:read',
      summary: 'List all phases of a run',
      tag,
      query: z.strictObject(paging(500, 1_000)),
      answers: { 200: { description: 'A page of phases.', schema: PhasePage } },
      problems: [...NO_RUN, 'bad_cursor'],
    },
    async ({ c, params: { id = '' }, query }) => {
      await findRun(pool, tenant, id)
      return c.json(await readPhases(pool, id, query))
    },
  )

  operations.add(
    {
      method: 'delete',
      path: '/v1/runs/{id}',
      operationId: 'deleteRun',
      scope: 'runs:write',
      summary: 'Delete a finished run; a tombstone is left',
      tag,
      answers: { 204: { description: 'It is deleted, now or before.' } },
      problems: ['run_not_found', 'run_not_over'],
    },
    async ({ c, params: { id = '' }, caller }) => {
      await findRun(pool, tenant, id).catch((error: unknown) => {
        if (!(error instanceof DevflowError) || error.code !== 'run_deleted') throw error
      })
      const answer = await eraseRun(pool, id, caller.principal)
      if (answer === 'not_found') throw runNotFound(id)
      if (answer === 'not_over') {
        throw new DevflowError(
          'CONFLICT',
          'run_not_over',
          'Only a finished run can be deleted: cancel it first.',
        )
      }
      return c.body(null, 204)
    },
  )

  const viewOf = async (db: Parameters<typeof readRun>[0], id: string): Promise<Run> => {
    const run = await readRun(db, tenant, id)
    if (!run) throw runNotFound(id)
    return run
  }

  /** The run after the wait the client prefers; undefined when it prefers none. */
  const wait = async (c: Context<Env>, run: string): Promise<Run | undefined> => {
    const seconds = preferredWait(c.req.header('prefer'))
    if (seconds === undefined) return undefined
    c.header('preference-applied', `wait=${seconds}`)
    return await waitForRun(deps, { tenant, run, seconds, left: c.req.raw.signal })
  }
}
