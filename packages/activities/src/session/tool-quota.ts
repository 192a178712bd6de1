import { DevflowError } from '@devflow/contracts'
import { refused, type ToolResult } from '../tools/index.ts'
import type { Session } from './session.ts'
import { QUOTA_EXCEEDED, type Transcript } from './transcript.ts'

/** A model is told so often that a tool is used up; one that asks for it again would go on for ever. */
const MOST_OVERRUNS = 3

/** The answer to a call that is one too many for its tool; undefined: it may run. `more`: calls that are not on record yet. */
export function overQuota(
  { persona, agent }: Pick<Session, 'persona' | 'agent'>,
  { toolUse }: Transcript,
  tool: string,
  more = 0,
): ToolResult | undefined {
  const limits = [persona.model.toolQuotas, agent.toolQuotas].flatMap((quotas) => quotas?.[tool] ?? [])
  const quota = Math.min(...limits)
  if ((toolUse.get(tool) ?? 0) + more < quota) return undefined
  const times = quota === 1 ? 'once' : `${quota} times`
  const message = `${tool} may be called ${times} in this phase, and was. Go on without it.`
  return refused(QUOTA_EXCEEDED, message)
}

/** How the phase fails when its model does not take that for an answer. */
export function quotaFailure({ overruns }: Transcript): DevflowError | undefined {
  if (overruns <= MOST_OVERRUNS) return undefined
  const message = `The model went on calling tools beyond their quota, ${overruns} times.`
  return new DevflowError('RATE_LIMITED', QUOTA_EXCEEDED, message)
}
