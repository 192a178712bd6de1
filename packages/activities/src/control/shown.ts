import type { Outcome, Shown } from '@devflow/contracts'
import type { PhaseProgress, Progress } from '@devflow/db'
import { dollars } from '../report/markdown/quantities.ts'

/** Of a map's gates there may be thousands; the workflow's payloads stay small (I4). */
const MOST_GATES = 10

const OUTCOMES: readonly Outcome[] = ['completed', 'failed', 'canceled']

/** What a run ended as; undefined when it goes on. */
export const outcomeOf = ({ status }: Progress): Outcome | undefined =>
  OUTCOMES.find((outcome) => outcome === status)

/** What people are shown of a run where it stands. It comes with an answer that is given anyway. */
export function shownOf({ money, gates, control }: Progress, at?: PhaseProgress): Shown {
  const open = gates.filter(({ status }) => status === 'open').map(({ id }) => id)
  return {
    spent: usd(money.spent),
    ...(money.limit === null ? {} : { limit: usd(money.limit) }),
    ...(control === 'paused' ? { paused: true as const } : {}),
    ...(open.length > 0 ? { gates: { first: open.slice(0, MOST_GATES), total: open.length } } : {}),
    ...(at?.child === undefined ? {} : { child: at.child }),
  }
}

/** Without the sign: two of them are a formula to the Temporal UI. */
const usd = (microUsd: number): string => dollars(microUsd).slice(1)
