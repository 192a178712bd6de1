import type { RunEvent } from '@devflow/contracts'
import type { Words } from '../messages/words.ts'
import { inOneLine } from '../terminal/fit.ts'

/** Turns a run's events, in their order, into calm lines: time, phase, words. Tool calls are told as a count; details not at all. */
export function progressLines({ events, used, forks }: Words): (event: RunEvent) => string[] {
  let tools = new Map<string, number>()
  return (event) => {
    // What a fork takes over was told of where it happened.
    if (event.data.reused === true)
      return PHASE_ENDS.includes(event.type) ? [line(event, forks.takenOver)] : []
    if (event.type === 'tool.called') {
      const tool = textIn(event, ['name', 'tool']) ?? '?'
      tools.set(tool, (tools.get(tool) ?? 0) + 1)
      return []
    }
    const words = events[event.type]
    if (words === undefined) return []
    const uses = [...tools].map(([tool, times]) => (times === 1 ? tool : `${tool} ×${times}`))
    tools = new Map()
    const about = aboutOf(event)
    return [
      ...(uses.length > 0 ? [line(event, used(uses.join(', ')))] : []),
      line(event, about === undefined ? words : `${words}: ${about}`),
    ]
  }
}

const PHASE_ENDS = ['phase.completed', 'phase.failed', 'phase.skipped']

/** What an event is about, in a few words. */
function aboutOf(event: RunEvent): string | undefined {
  const { error } = event.data
  if (error !== null && typeof error === 'object' && 'message' in error)
    return inOneLine(String(error.message))
  if (event.type === 'phase.started') return textIn(event, ['persona'])
  return textIn(event, ['name', 'decision', 'outcome', 'status', 'title', 'run'])
}

const line = (event: RunEvent, words: string): string =>
  `${event.at.slice(11, 19)}  ${(event.phase ?? 'run').padEnd(10)}  ${words}`

const textIn = (event: RunEvent, fields: string[]): string | undefined => {
  const text = fields.map((field) => event.data[field]).find((value) => typeof value === 'string')
  return typeof text === 'string' ? inOneLine(text) : undefined
}
