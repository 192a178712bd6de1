import type { JsonSchema } from '@devflow/contracts'

const text: JsonSchema = { type: 'string' }

/** What `event` is to the expressions of a wait and of a trigger. */
export const EVENT: JsonSchema = {
  type: 'object',
  properties: { seq: { type: 'integer' }, topic: text, id: text, data: {}, actor: text, at: text },
}

/** What `schedule` is to the expressions of a schedule. */
export const SCHEDULE: JsonSchema = { type: 'object', properties: { id: text, at: text } }
