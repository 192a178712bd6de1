import type { Occasion, Submission } from '@devflow/client'
import type { Words } from '../messages/words.ts'
import type { Cell } from '../terminal/table.ts'

/** What became of an occasion: when, how, with which run or why not. */
export function lastLine({ at, status, runId, error, reason }: Occasion, { sources }: Words): string {
  const why = error?.message ?? (reason && sources.reasons[reason])
  return [at, sources.outcomes[status] ?? status, runId ?? why ?? ''].join('  ').trimEnd()
}

export function lastCell(last: Submission | undefined, words: Words): Cell {
  if (!last) return ''
  const text = `${last.at.slice(0, 16)}Z ${words.sources.outcomes[last.status] ?? last.status}`
  return last.status === 'failed' ? { text, paint: 'bad' } : text
}

export const onOff = (enabled: boolean, { sources }: Words): Cell =>
  enabled ? sources.states.on : { text: sources.states.off, paint: 'faint' }
