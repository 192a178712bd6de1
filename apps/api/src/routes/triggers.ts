import { DevflowError, PutTrigger, SourceId, type Trigger } from '@devflow/contracts'
import { deleteTrigger, listTriggers, putTrigger, readTrigger } from '@devflow/db'
import { triggerErrors } from '@devflow/definition'
import { z } from 'zod'
import { TriggerBody, TriggerPage } from '../bodies.ts'
import type { ApiDeps } from '../deps.ts'
import { TRIGGER } from '../examples.ts'
import { type Operations, parsed } from '../operation.ts'
import { paging } from '../query.ts'

const ID = { id: SourceId.meta({ description: 'The id of the trigger.', example: TRIGGER.id }) }

/** Triggers: runs started by events from outside. */
export function triggerRoutes(operations: Operations, { pool, tenant }: ApiDeps): void {
  const found = async (id: string): Promise<Trigger> => {
    const trigger = await readTrigger(pool, tenant, id)
    if (trigger) return trigger
    throw new DevflowError('NOT_FOUND', 'trigger_not_found', `There is no trigger ${id.slice(0, 64)}.`)
  }

  operations.add(
    {
      method: 'get',
      path: '/v1/triggers',
      operationId: 'listTriggers',
      scope: 'runs:read',
      summary: 'List triggers',
      tag: 'topics',
      query: z.strictObject(paging(100, 500)),
      answers: { 200: { description: 'A page of triggers, by id.', schema: TriggerPage } },
      problems: ['bad_cursor'],
    },
    async ({ c, query }) => c.json(await listTriggers(pool, tenant, query)),
  )

  operations.add(
    {
      method: 'get',
      path: '/v1/triggers/{id}',
      operationId: 'readTrigger',
      scope: 'runs:read',
      summary: 'Read a trigger, and what became of its latest occasion',
      tag: 'topics',
      params: ID,
      answers: { 200: { description: 'The trigger.', schema: TriggerBody } },
      problems: ['trigger_not_found'],
    },
    async ({ c, params: { id = '' } }) => c.json(await found(id)),
  )

  operations.add(
    {
      method: 'put',
      path: '/v1/triggers/{id}',
      operationId: 'putTrigger',
      scope: 'runs:write',
      summary: 'Make a trigger or replace it: each event that matches submits a run',
      description:
        'Events that came before are not for it. The run is submitted as by `POST /v1/runs`, by `trigger/<id>`, once an event.',
      tag: 'topics',
      params: ID,
      body: PutTrigger.meta({ id: 'PutTrigger' }),
      bodyExamples: {
        'Every order over 100': { topic: TRIGGER.topic, match: TRIGGER.match, submit: TRIGGER.submit },
      },
      answers: { 200: { description: 'The trigger as it is now.', schema: TriggerBody } },
      problems: ['invalid_trigger'],
    },
    async ({ c, params, body, caller }) => {
      const id = parsed('The id', SourceId, params.id)
      const errors = triggerErrors(body)
      if (errors.length > 0) {
        const message = `The trigger is not valid: ${errors[0]?.path}: ${errors[0]?.message}`
        throw new DevflowError('INVALID', 'invalid_trigger', message, { errors })
      }
      await putTrigger(pool, tenant, id, body, caller.principal)
      return c.json(await found(id))
    },
  )

  operations.add(
    {
      method: 'delete',
      path: '/v1/triggers/{id}',
      operationId: 'deleteTrigger',
      scope: 'runs:write',
      summary: 'Delete a trigger; runs it has started go on',
      tag: 'topics',
      params: ID,
      answers: { 204: { description: 'It is deleted.' } },
      problems: ['trigger_not_found'],
    },
    async ({ c, params: { id = '' } }) => {
      await found(id)
      await deleteTrigger(pool, tenant, id)
      return c.body(null, 204)
    },
  )
}
