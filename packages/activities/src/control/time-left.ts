import { DevflowError, durationMs } from '@devflow/contracts'
import type { Step } from './step.ts'

/**
 * Ms until the phase's own `timeout`, from its start on record; undefined where it has none. The session of an agent
 * or function watches its own, and a wait for a signal has it as its deadline.
 */
export function timeLeft({ progress, phase, at }: Step): number | undefined {
  if (phase.timeout === undefined || at.startedAt === undefined) return undefined
  if ('agent' in phase || 'function' in phase || ('wait' in phase && 'signal' in phase.wait)) return undefined
  return durationMs(phase.timeout) - (progress.now.getTime() - at.startedAt.getTime())
}

export function timeoutError({ phase, at }: Step): DevflowError {
  const message = `Phase ${at.id} was not over within its timeout of ${phase.timeout}.`
  return new DevflowError('TIMEOUT', 'phase_timeout', message)
}
