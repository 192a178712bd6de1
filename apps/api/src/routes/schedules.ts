import {
  BackfillSchedule,
  CHANNELS,
  DevflowError,
  PutSchedule,
  type Schedule,
  SourceId,
  TriggerSchedule,
} from '@devflow/contracts'
import {
  deleteSchedule,
  listSchedules,
  pauseSchedule,
  putSchedule,
  type Queryable,
  type ReadSchedule,
  readSchedule,
} from '@devflow/db'
import { compileSpec, scheduleErrors, scheduleTimes } from '@devflow/definition'
import type { Context } from 'hono'
import { z } from 'zod'
import { BackfilledBody, ScheduleBody, SchedulePage } from '../bodies.ts'
import type { ApiDeps } from '../deps.ts'
import { SCHEDULE } from '../examples.ts'
import { KEY_HEADER, KEY_PROBLEMS, keyed, keyedResponse, REPLAYED, REPLAYED_HEADER } from '../keyed.ts'
import { type Env, type Operations, parsed } from '../operation.ts'
import { paging } from '../query.ts'
import { occasionsAsked } from '../submissions/occasions-asked.ts'

const ID = { id: SourceId.meta({ description: 'The id of the schedule.', example: SCHEDULE.id }) }
const tag = 'topics'
const NEXT = 5

/** Schedules: runs started at times. */
export function scheduleRoutes(operations: Operations, deps: ApiDeps): void {
  const { pool, tenant, poker } = deps
  const found = async (id: string, db: Queryable = pool): Promise<Schedule> => {
    const schedule = await readSchedule(db, tenant, id)
    if (schedule) return withNext(schedule)
    throw new DevflowError('NOT_FOUND', 'schedule_not_found', `There is no schedule ${id.slice(0, 64)}.`)
  }

  operations.add(
    {
      method: 'get',
      path: '/v1/schedules',
      operationId: 'listSchedules',
      scope: 'runs:read',
      summary: 'List schedules, with their next times and what became of the latest',
      tag,
      query: z.strictObject(paging(100, 500)),
      answers: { 200: { description: 'A page of schedules, by id.', schema: SchedulePage } },
      problems: ['bad_cursor'],
    },
    async ({ c, query }) => {
      const { items, ...rest } = await listSchedules(pool, tenant, query)
      return c.json({ items: items.map(withNext), ...rest })
    },
  )

  operations.add(
    {
      method: 'get',
      path: '/v1/schedules/{id}',
      operationId: 'readSchedule',
      scope: 'runs:read',
      summary: 'Read a schedule, its next times, and what became of the latest',
      tag,
      params: ID,
      answers: { 200: { description: 'The schedule.', schema: ScheduleBody } },
      problems: ['schedule_not_found'],
    },
    async ({ c, params: { id = '' } }) => c.json(await found(id)),
  )

  operations.add(
    {
      method: 'put',
      path: '/v1/schedules/{id}',
      operationId: 'putSchedule',
      scope: 'runs:write',
      summary: 'Make a schedule or replace it: each of its times submits a run',
      description:
        'Its times count from now where they change. The run is submitted as by `POST /v1/runs`, by `schedule/<id>`, once a time. A paused schedule stays paused.',
      tag,
      params: ID,
      body: PutSchedule.meta({ id: 'PutSchedule' }),
      bodyExamples: {
        'On working days': { spec: SCHEDULE.spec, submit: SCHEDULE.submit, overlap: SCHEDULE.overlap },
      },
      answers: { 200: { description: 'The schedule as it is now.', schema: ScheduleBody } },
      problems: ['invalid_schedule'],
    },
    async ({ c, params, body, caller }) => {
      const id = parsed('The id', SourceId, params.id)
      const errors = scheduleErrors(body)
      if (errors.length > 0) {
        const message = `The schedule is not valid: ${errors[0]?.path}: ${errors[0]?.message}`
        throw new DevflowError('INVALID', 'invalid_schedule', message, { errors })
      }
      await putSchedule(pool, { tenant, id, actor: caller.principal }, body)
      return c.json(await found(id))
    },
  )

  operations.add(
    {
      method: 'delete',
      path: '/v1/schedules/{id}',
      operationId: 'deleteSchedule',
      scope: 'runs:write',
      summary: 'Delete a schedule; runs it has started go on',
      tag,
      params: ID,
      answers: { 204: { description: 'It is deleted.' } },
      problems: ['schedule_not_found'],
    },
    async ({ c, params: { id = '' } }) => {
      await found(id)
      await deleteSchedule(pool, tenant, id)
      return c.body(null, 204)
    },
  )

  const steer = (pause: boolean) => ({
    tag,
    params: ID,
    body: z
      .strictObject({ reason: z.string().max(2_000).optional() })
      .meta({ id: pause ? 'PauseSchedule' : 'ResumeSchedule' }),
    bodyOptional: true,
    bodyExamples: { Why: { reason: pause ? 'The shop is closed.' : 'It is open again.' } },
    headers: KEY_HEADER,
    answers: {
      200: { description: 'The schedule as it is now.', schema: ScheduleBody, headers: REPLAYED_HEADER },
    },
    problems: ['schedule_not_found' as const, ...KEY_PROBLEMS],
  })
  const steered = (c: Context<Env>, id: string, pause: boolean, body: { reason?: string | undefined }) =>
    keyed(c, deps, body, async (client) => {
      await pauseSchedule(client, { tenant, id, pause, reason: body.reason })
      return { status: 200, body: await found(id, client), runId: null }
    })
  operations.add(
    {
      method: 'post',
      path: '/v1/schedules/{id}/pause',
      operationId: 'pauseSchedule',
      scope: 'runs:write',
      summary: 'Pause a schedule: times that pass until it is resumed are not made',
      ...steer(true),
    },
    async ({ c, params: { id = '' }, body }) => keyedResponse(c, await steered(c, id, true, body)),
  )
  operations.add(
    {
      method: 'post',
      path: '/v1/schedules/{id}/resume',
      operationId: 'resumeSchedule',
      scope: 'runs:write',
      summary: 'Resume a schedule: its times count from now',
      ...steer(false),
    },
    async ({ c, params: { id = '' }, body }) => {
      const answer = await steered(c, id, false, body)
      if (!answer.replayed) poker.poke(CHANNELS.topics)
      return keyedResponse(c, answer)
    },
  )

  operations.add(
    {
      method: 'post',
      path: '/v1/schedules/{id}/trigger',
      operationId: 'triggerSchedule',
      scope: 'runs:write',
      summary: 'Submit the run of a schedule now, paused or not; it does not count',
      tag,
      params: ID,
      body: TriggerSchedule.meta({ id: 'TriggerSchedule' }),
      bodyOptional: true,
      bodyExamples: { 'Beside a run that goes on': { overlap: 'allow_all' } },
      headers: KEY_HEADER,
      answers: {
        202: { description: 'It is due; `last` shows what becomes of it.', schema: ScheduleBody },
        200: { description: REPLAYED, schema: ScheduleBody, headers: REPLAYED_HEADER },
      },
      problems: ['schedule_not_found', ...KEY_PROBLEMS],
    },
    async ({ c, params: { id = '' }, body }) => {
      const answer = await keyed(c, deps, { id, ...body }, async (client) => {
        await occasionsAsked(client, { tenant, id }, { now: new Date(), ...body })
        return { status: 202, body: await found(id, client), runId: null }
      })
      if (!answer.replayed) poker.poke(CHANNELS.topics)
      return keyedResponse(c, answer)
    },
  )

  operations.add(
    {
      method: 'post',
      path: '/v1/schedules/{id}/backfill',
      operationId: 'backfillSchedule',
      scope: 'runs:write',
      summary: 'Submit runs for the times of a range in the past that were not made; they do not count',
      tag,
      params: ID,
      body: BackfillSchedule.meta({ id: 'BackfillSchedule' }),
      bodyExamples: {
        'A day': { from: '2026-11-20T00:00:00Z', to: '2026-11-20T23:59:59Z', overlap: 'buffer_all' },
      },
      headers: KEY_HEADER,
      answers: {
        202: { description: 'They are due.', schema: BackfilledBody },
        200: { description: REPLAYED, schema: BackfilledBody, headers: REPLAYED_HEADER },
      },
      problems: ['schedule_not_found', 'invalid_range', ...KEY_PROBLEMS],
    },
    async ({ c, params: { id = '' }, body }) => {
      const asked = { ...body, from: new Date(body.from), to: new Date(body.to) }
      const answer = await keyed(c, deps, body, async (client) => {
        const body = await occasionsAsked(client, { tenant, id }, { now: new Date(), ...asked })
        return { status: 202, body, runId: null }
      })
      if (!answer.replayed) poker.poke(CHANNELS.topics)
      return keyedResponse(c, answer)
    },
  )
}

function withNext(schedule: ReadSchedule): Schedule {
  const rests = schedule.paused || schedule.remaining === 0
  const { compiled } = compileSpec(schedule.spec)
  const next = rests ? [] : scheduleTimes(compiled, { after: new Date(), most: NEXT })
  return { ...schedule, next: next.map((time) => time.toISOString()) }
}
