import type { EventLine, Overrun } from '@devflow/db'
import type { Place } from './place.ts'

/** Says, once for each limit of a budget, that the run goes on past it. */
export function warnedLine(place: Place, over: Overrun): EventLine {
  const { scope, persona, day, limitMicroUsd = '', limitTokens = '' } = over
  const budget = [scope, persona, day].filter((part) => part !== undefined).join('/')
  const { phase, attempt } = place
  const key = `budget/${budget}/${limitMicroUsd}/${limitTokens}/warned`
  return { type: 'budget.warned', key, phase, attempt, data: { ...over } }
}
