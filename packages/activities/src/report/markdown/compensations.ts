import type { Report } from '@devflow/contracts'
import { problem } from './phase.ts'
import { counted, moment } from './quantities.ts'
import { code } from './safe-text.ts'

/** What was undone before the run ended, and what could not be; nothing where nothing was to be undone. */
export function compensationsChapter({ compensations = [] }: Report): string[][] {
  if (compensations.length === 0) return []
  const left = compensations.filter(({ status }) => status === 'failed')
  const summary =
    left.length === 0
      ? 'All that it had done and says how to undo was undone, the last first.'
      : `**${counted(left.length, 'phase')} could not be undone**: see to it by hand.`
  const lines = compensations.map(({ phase, function: name, status, tries, error, endedAt }) => {
    const by = `${code(phase)} by ${code(name)}`
    if (status === 'completed')
      return `- ${by}: undone${endedAt ? ` on ${moment(endedAt)}` : ''}${tries > 1 ? `, at the ${tries}th try` : ''}`
    const why = error ? `: ${problem(error)}` : ''
    return `- ${by}: **not undone** after ${tries === 1 ? '1 try' : `${tries} tries`}${why}`
  })
  return [['## What was undone', '', summary, '', ...lines]]
}
