import { DevflowError } from '@devflow/contracts'
import { patiently, readBudgetLeft, readTaken } from '@devflow/db'
import { Decimal } from 'decimal.js'
import { lowered, type Reservation } from '../reservation.ts'
import type { Session } from '../session.ts'
import type { Share } from './order.ts'

const DEFAULT_SHARE = 0.5

/** The share of each of those asked in one turn: a part of what the run, or the asking agent's own share, has left. */
export async function shareFor({ deps, place, asked, persona }: Session, together: number): Promise<Share> {
  const { pool } = deps
  const { runId, phase, attempt } = place
  const ofRun = await patiently(() => readBudgetLeft(pool, runId))
  const own = asked && hasLimit(asked.share) ? asked.share : undefined
  const taken = own && (await patiently(() => readTaken(pool, runId, phase, attempt)))
  const part = new Decimal(persona.subagentLimits?.budgetShare ?? DEFAULT_SHARE).div(together)
  const least = (...amounts: (Decimal | undefined)[]) => {
    const known = amounts.filter((amount) => amount !== undefined)
    return known.length === 0 ? undefined : Decimal.max(0, Decimal.min(...known))
  }
  const microUsd = least(
    ofRun.microUsd === undefined ? undefined : new Decimal(ofRun.microUsd),
    own?.microUsd === undefined ? undefined : new Decimal(own.microUsd).minus(taken?.microUsd ?? 0),
  )
  const tokens = least(
    ofRun.tokens === undefined ? undefined : new Decimal(ofRun.tokens),
    own?.tokens === undefined ? undefined : new Decimal(own.tokens).minus(taken?.tokens ?? 0),
  )
  return {
    ...(microUsd === undefined
      ? {}
      : { microUsd: microUsd.times(part).toDecimalPlaces(6, Decimal.ROUND_DOWN).toNumber() }),
    ...(tokens === undefined ? {} : { tokens: tokens.times(part).floor().toNumber() }),
  }
}

const hasLimit = ({ microUsd, tokens }: Share): boolean => microUsd !== undefined || tokens !== undefined

/**
 * The reservation as far as the share of the session holds it: whole, or with less output. Throws RATE_LIMITED
 * `budget_exceeded` or `token_budget_exceeded` when that is no useful answer any more.
 */
export async function withinShare(session: Session, whole: Reservation): Promise<Reservation> {
  const { deps, place, asked } = session
  if (!asked || !hasLimit(asked.share)) return whole
  // What the last turn left to write is part of what was taken.
  await session.settled()
  const { share } = asked
  const taken = await patiently(() => readTaken(deps.pool, place.runId, place.phase, place.attempt))
  const leftMicroUsd =
    share.microUsd === undefined ? undefined : new Decimal(share.microUsd).minus(taken.microUsd).toNumber()
  const leftTokens = share.tokens === undefined ? undefined : share.tokens - taken.tokens
  const isShort = {
    money: leftMicroUsd !== undefined && (whole.microUsd ?? 0) > leftMicroUsd,
    tokens: leftTokens !== undefined && whole.tokens > leftTokens,
  }
  if (!isShort.money && !isShort.tokens) return whole
  const less = lowered(whole, { exceeded: [], leftMicroUsd, leftTokens })
  if (less) return less
  const limit = isShort.money ? `${share.microUsd} micro-dollars` : `${share.tokens} tokens`
  throw new DevflowError(
    'RATE_LIMITED',
    isShort.money ? 'budget_exceeded' : 'token_budget_exceeded',
    `The next call of this agent does not fit into its share of the budget, ${limit}.`,
  )
}
