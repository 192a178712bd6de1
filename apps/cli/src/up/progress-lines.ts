import type { RunEvent } from '@devflow/contracts'

/** What people are told; other events are detail. Tool calls are told as a count. */
const WORDS: Record<string, string> = {
  'run.submitted': 'submitted',
  'run.started': 'started',
  'phase.started': 'started',
  'phase.completed': 'done',
  'phase.failed': 'failed',
  'phase.skipped': 'skipped',
  'phase.retried': 'begins again',
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

/** Turns a run's events, in their order, into calm lines: time, phase, words. Most events make none. */
export function progressLines(): (event: RunEvent) => string[] {
  let used = new Map<string, number>()
  return (event) => {
    if (event.type === 'tool.called') {
      const tool = textIn(event, ['tool', 'name']) ?? 'a tool'
      used.set(tool, (used.get(tool) ?? 0) + 1)
      return []
    }
    const words = WORDS[event.type]
    if (words === undefined) return []
    const tools = [...used].map(([tool, times]) => (times === 1 ? tool : `${tool} ×${times}`))
    used = new Map()
    const about = textIn(event, ['name', 'decision', 'outcome'])
    return [
      ...(tools.length > 0 ? [line(event, `used ${tools.join(', ')}`)] : []),
      line(event, about === undefined ? words : `${words}: ${about}`),
    ]
  }
}

const line = (event: RunEvent, words: string): string =>
  `  ${event.at.slice(11, 19)}  ${(event.phase ?? 'run').padEnd(10)}  ${words}`

const textIn = (event: RunEvent, fields: string[]): string | undefined =>
  fields.map((field) => event.data[field]).find((value) => typeof value === 'string')
