import {
  type Definition,
  DevflowError,
  durationMs,
  kindOf,
  type Phase,
  PLAN_FORMAT,
  type Plan,
  type PlanStep,
} from '@devflow/contracts'
import { listsIn } from './tree.ts'

/** Bytes of JSON: the most a workflow's history may hold in one payload (I4). */
const MAX_PLAN_BYTES = 32 * 1024

/** The skeleton of a definition that a workflow runs by. Throws DevflowError INVALID `plan_too_large`. */
export function planOf(definition: Definition): Plan {
  const plan: Plan = {
    format: PLAN_FORMAT,
    template: definition.template,
    title: definition.title,
    steps: definition.phases.map((phase) => stepOf(phase, definition)),
  }
  const size = Buffer.byteLength(JSON.stringify(plan))
  if (size <= MAX_PLAN_BYTES) return plan
  const message = `the plan of ${plan.steps.length} phases takes ${size} bytes, more than ${MAX_PLAN_BYTES}`
  throw new DevflowError('INVALID', 'plan_too_large', message, { errors: [{ path: 'phases', message }] })
}

function stepOf(phase: Phase, definition: Definition): PlanStep {
  const persona = 'agent' in phase ? definition.roles[phase.agent.role]?.id : undefined
  const lists = listsIn(phase)
  return {
    id: phase.id,
    kind: kindOf(phase),
    ...(persona === undefined ? {} : { persona }),
    ...(phase.onError === 'continue' ? { continues: true } : {}),
    ...(phase.timeout === undefined ? {} : { timeoutMs: durationMs(phase.timeout) }),
    ...(phase.retry === undefined ? {} : { maxAttempts: phase.retry.maxAttempts }),
    ...(phase.retry?.backoff === undefined ? {} : { backoffMs: durationMs(phase.retry.backoff) }),
    ...(lists.length === 0
      ? {}
      : { inside: lists.map((list) => list.map((inner) => stepOf(inner, definition))) }),
  }
}
