import type { RunEvent } from '@devflow/contracts'

/** What people are told; other events are detail. */
const WORDS: Record<string, string> = {
  'run.submitted': 'submitted',
  'run.started': 'started',
  'phase.started': 'started',
  'phase.completed': 'done',
  'phase.failed': 'failed',
  'phase.skipped': 'skipped',
  'phase.retried': 'begins again',
  'tool.called': 'calls',
  'artifact.accepted': 'artifact accepted',
  'artifact.rejected': 'artifact rejected, to be repaired',
  'gate.opened': 'waits for a decision',
  'gate.decided': 'decided',
  'session.resumed': 'resumed',
  'budget.exceeded': 'budget exceeded',
  'run.completed': 'completed',
  'run.failed': 'failed',
  'run.canceled': 'canceled',
}

/** One calm line for an event: time, phase, words. `undefined` for events that are detail. */
export function progressLine(event: RunEvent): string | undefined {
  const words = WORDS[event.type]
  if (words === undefined) return undefined
  const about = ['tool', 'name', 'decision', 'outcome']
    .map((field) => event.data[field])
    .find((value) => typeof value === 'string')
  const where = event.phase ?? 'run'
  return `  ${event.at.slice(11, 19)}  ${where.padEnd(10)}  ${words}${about === undefined ? '' : ` ${about}`}`
}
