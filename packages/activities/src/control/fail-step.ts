import type { ControlActivities } from '@devflow/contracts'
import type { Deps } from '../deps.ts'

/** Puts on record that a step's activity failed in a way nobody expected; the phase's own retry rules go on from there. */
export async function failStep(
  deps: Deps,
  failure: Parameters<ControlActivities['failStep']>[0],
): Promise<void> {
  const { runId, epoch, step, attempt, message } = failure
  const error = {
    kind: 'INTERNAL' as const,
    code: 'phase_crashed',
    message: deps.scrub(message).slice(0, 2_000),
  }
  const place = { phase: step, attempt }
  await deps.writer.append({
    run: runId,
    execution: epoch,
    lines: [
      { type: 'phase.started', key: `${step}/${attempt}/start`, ...place, data: { kind: 'agent' } },
      { type: 'phase.failed', key: `${step}/${attempt}/end`, ...place, data: { error } },
    ],
  })
}
