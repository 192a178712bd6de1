import { DevflowError, type ModelPrice, type SessionEnd } from '@devflow/contracts'
import { askBudget, type EventLine, type Overrun } from '@devflow/db'
import { canonicalHash } from '@devflow/definition'
import type { ModelRequest } from '../models/model.ts'
import { type CallOutcome, callModel } from './call.ts'
import { FENCED } from './delivery-end.ts'
import { fail } from './ends.ts'
import { eventAt, ownerId, phaseOf } from './place.ts'
import { lowered, type Reservation } from './reservation.ts'
import type { Session } from './session.ts'

/** What the models cost that may answer: a call reserves by the dearest. A price that a persona names is its own model's. */
export async function pricesOf({ deps, adapter, persona }: Session): Promise<(ModelPrice | undefined)[]> {
  const { pricing: _, ...model } = persona.model
  const fallbacks = (model.fallbacks ?? []).map((name) => ({ ...model, name }))
  return await Promise.all([persona.model, ...fallbacks].map((each) => deps.prices.of(adapter, each)))
}

/**
 * Calls the model with what the budgets pay: where they do not hold all the output that is asked for, a shorter answer is
 * better than none. Others spend meanwhile, so each time there may be less.
 */
export async function callWithin(
  session: Session,
  turn: number,
  call: number,
  request: Omit<ModelRequest, 'maxOutputTokens'>,
  whole: Reservation,
  first: EventLine[],
): Promise<CallOutcome> {
  for (let asked = whole; ; ) {
    const { maxOutputTokens } = asked
    const result = await callModel(session, turn, call, { ...request, maxOutputTokens }, asked, first)
    const less = result.outcome === 'refused' && result.over && lowered(asked, result.over)
    if (!less) return result
    asked = less
  }
}

/**
 * The next call does not fit into a budget. What asks waits at a gate, with nothing held: the session ends, and another
 * delivery of the same attempt goes on once somebody has raised it. Anything else ends the phase.
 */
export async function overBudget(
  session: Session,
  turn: number,
  call: number,
  over: Overrun | undefined,
  first: readonly EventLine[],
): Promise<SessionEnd> {
  if (!over) throw new Error('a reservation was refused for a budget that was not told')
  if (over.exceeded.includes('unpriced')) return await fail(session, unpriced(session, over))
  if (over.onExceeded === 'prompt') return await ask(session, over, first)
  const line = eventAt(session.place, 'budget.exceeded', `call-${call}/over-budget`, { ...over }, turn)
  return await fail(session, exceeded(over, session.place.runId), [line])
}

async function ask(session: Session, over: Overrun, first: readonly EventLine[]): Promise<SessionEnd> {
  const { deps, place, epoch } = session
  // What the last turn left to write comes before the wait.
  await session.settled()
  const gate = await askBudget(deps.pool, {
    run: place.runId,
    session: { id: ownerId(place), epoch },
    phase: phaseOf(place),
    attempt: place.attempt,
    start: first.find(({ type }) => type === 'phase.started'),
    over,
    title: `The ${named(over, place.runId)} of ${limits(over)} does not hold the next call. Raise it for this run?`,
    hash: canonicalHash({ ...over }),
  })
  return gate === undefined ? FENCED : { ended: 'stopped', why: 'budget' }
}

function exceeded(over: Overrun, run: string): DevflowError {
  const { wantedMicroUsd, wantedTokens, limitMicroUsd, leftMicroUsd, limitTokens, leftTokens } = over
  const wanted = amounts(limitMicroUsd === undefined ? undefined : wantedMicroUsd, wantedTokens)
  const left = amounts(leftMicroUsd, limitTokens === undefined ? undefined : leftTokens)
  const message = `The next call could take ${wanted}; the ${named(over, run)} of ${limits(over)} has ${left} left.`
  const code = over.exceeded.includes('money') ? 'budget_exceeded' : 'token_budget_exceeded'
  return new DevflowError('RATE_LIMITED', code, message)
}

function unpriced({ persona, place }: Session, over: Overrun): DevflowError {
  const { name, fallbacks = [] } = persona.model
  const models = [name, ...fallbacks].join(' or ')
  const message = `The price of ${models} is not known, and the ${named(over, place.runId)} has a limit in money. Give the persona a \`pricing\`, choose another model, or set \`allowUnpriced\` on that budget.`
  return new DevflowError('INVALID', 'unpriced_model', message)
}

function named({ scope, persona, day }: Overrun, run: string): string {
  switch (scope) {
    case 'run':
      if (persona === undefined) return "run's budget"
      return `budget that the run shares with ${persona === run ? 'those it started' : 'its parent'}`
    case 'day':
      return `budget of the day ${day}`
    case 'tenant-day':
      return `tenant's budget of the day ${day}`
    case 'persona-day':
      return `budget of ${persona} on the day ${day}`
  }
}

const limits = ({ limitMicroUsd, limitTokens }: Overrun): string => amounts(limitMicroUsd, limitTokens)

function amounts(microUsd: number | undefined, tokens: number | undefined): string {
  const money = microUsd === undefined ? [] : [`${microUsd} micro-dollars`]
  const counted = tokens === undefined ? [] : [`${tokens} tokens`]
  return [...money, ...counted].join(' and ')
}
