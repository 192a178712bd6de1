import type { BoundPersona, Definition } from '@devflow/contracts'
import { z } from 'zod'
import type { ToolSpec } from '../../models/model.ts'

export const REQUEST_SUBAGENT = 'request_subagent'

export const LONGEST_TASK = 50_000

export const RequestArguments = z.strictObject({
  persona: z.string().min(1),
  task: z.string().trim().min(1).max(LONGEST_TASK),
})

/** Whom a persona may ask for help, by the names the model is offered: those it lists, else all roles of the template. */
export function askableBy(
  { roles, subagents = {} }: Pick<Definition, 'roles' | 'subagents'>,
  persona: BoundPersona,
): ReadonlyMap<string, BoundPersona> {
  if (!persona.subagents) return new Map(Object.entries(roles))
  return new Map(persona.subagents.flatMap((id) => (subagents[id] ? [[id, subagents[id]] as const] : [])))
}

/** How the tool is offered. */
export function requestSpec(askable: ReadonlyMap<string, BoundPersona>): ToolSpec {
  const list = [...askable].map(([name, { title }]) => (title === undefined ? name : `${name} (${title})`))
  return {
    name: REQUEST_SUBAGENT,
    description: `Asks another agent for help and waits for its answer. It sees nothing of this conversation: say in task all it needs to know, and what to answer. Several asked in the same turn work side by side and can only read files; one asked alone may also change them, as far as it and you may. Agents: ${list.join(', ')}.`,
    parameters: {
      type: 'object',
      required: ['persona', 'task'],
      additionalProperties: false,
      properties: {
        persona: { type: 'string', enum: [...askable.keys()], description: 'Who is asked' },
        task: { type: 'string', description: 'The whole task, and what the answer should hold' },
      },
    },
  }
}
