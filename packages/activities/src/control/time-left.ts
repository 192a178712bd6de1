import { DevflowError } from '@devflow/contracts'
import { timeLeftSince } from '../time-left.ts'
import type { Step } from './step.ts'

/**
 * Ms until the phase's own `timeout`, from its start on record; undefined where it has none. The session of an agent
 * or function watches its own, and a wait for a signal has it as its deadline.
 */
export function timeLeft({ progress, phase, at }: Step): number | undefined {
  if (at.startedAt === undefined) return undefined
  if ('agent' in phase || 'function' in phase || ('wait' in phase && 'signal' in phase.wait)) return undefined
  return timeLeftSince(at.startedAt, phase, progress)
}

export function timeoutError({ phase, at }: Step): DevflowError {
  const message = `Phase ${at.id} was not over within its timeout of ${phase.timeout}.`
  return new DevflowError('TIMEOUT', 'phase_timeout', message)
}
