import type { ControlActivities } from '@devflow/contracts'
import { readProgress } from '@devflow/db'
import { nameIn } from '@devflow/definition'
import type { Deps } from '../deps.ts'
import { nodeNamed } from '../scope/index.ts'

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
  const kind = await kindOf(deps, runId, step)
  await deps.writer.append({
    run: runId,
    execution: epoch,
    lines: [
      { type: 'phase.started', key: `${step}/${attempt}/start`, ...place, data: { kind } },
      { type: 'phase.failed', key: `${step}/${attempt}/end`, ...place, data: { error } },
    ],
  })
}

/** An agent's or a function's: only these have activities of their own. */
async function kindOf({ pool, definitions }: Deps, runId: string, step: string): Promise<string> {
  const progress = await readProgress(pool, runId)
  if (!progress) return 'agent'
  const { definition } = await definitions.get(progress.definitionHash)
  return nodeNamed(definition, nameIn(step))?.kind ?? 'agent'
}
