import type { Budget, BudgetPolicy, PhasePreview, PreviewWarning } from '@devflow/contracts'
import type { SharedBudget } from '@devflow/db'
import { isLess, sum } from './money.ts'

interface Amount {
  microUsd: number
  tokens: number
}

/** What a phase takes of budgets at least: in all, and to be let make its first call. */
export interface Need extends Amount {
  persona: string
  admission: Amount
}

interface Costs {
  needs: readonly Need[]
  /** Phases whose price nobody knows. */
  unpriced: readonly PhasePreview[]
}

/** What of a budget would stop a run: a limit whose policy is to warn stops none. */
const stops = (policy: BudgetPolicy | undefined): boolean => policy !== 'warn_continue'

export function budgetWarnings(
  budget: Budget,
  shared: readonly SharedBudget[],
  costs: Costs,
): PreviewWarning[] {
  return [
    ...unpricedWarnings(budget, shared, costs),
    ...ownWarnings(budget, leastOf(costs)),
    ...shared.flatMap((one) => sharedWarnings(one, leastOf(costs, one.personas))),
  ]
}

/** What a budget must have left, that of these personas or of all. */
function leastOf({ needs }: Costs, personas?: readonly string[]): Amount {
  const meant = needs.filter(({ persona }) => personas === undefined || personas.includes(persona))
  return {
    microUsd: Math.max(
      sum(...meant.map(({ microUsd }) => microUsd)),
      ...meant.map(({ admission }) => admission.microUsd),
    ),
    tokens: Math.max(
      meant.reduce((all, { tokens }) => all + tokens, 0),
      ...meant.map(({ admission }) => admission.tokens),
    ),
  }
}

function unpricedWarnings(
  budget: Budget,
  shared: readonly SharedBudget[],
  { unpriced }: Costs,
): PreviewWarning[] {
  return unpriced.map(({ id, model, persona }) => {
    const isLimited =
      (budget.limitMicroUsd !== undefined && budget.allowUnpriced !== true) ||
      shared.some(
        ({ leftMicroUsd, allowUnpriced, personas }) =>
          leftMicroUsd !== undefined && !allowUnpriced && personas.includes(persona ?? ''),
      )
    return {
      code: 'unpriced_model',
      message: isLimited
        ? `The price of ${model} is not known, and a limit in money holds: its calls are refused. Give the persona a pricing, or allow unpriced models.`
        : `The price of ${model} is not known: the phase may cost anything.`,
      blocks: isLimited,
      phase: id,
    }
  })
}

function ownWarnings({ limitMicroUsd, limitTokens, onExceeded }: Budget, least: Amount): PreviewWarning[] {
  const warnings: PreviewWarning[] = []
  if (limitMicroUsd !== undefined && isLess(limitMicroUsd, least.microUsd))
    warnings.push({
      code: 'budget_below_estimate',
      message: `The run's budget of ${limitMicroUsd} micro-dollars is less than it needs at least, ${least.microUsd}.`,
      blocks: stops(onExceeded),
    })
  if (limitTokens !== undefined && limitTokens < least.tokens)
    warnings.push({
      code: 'token_budget_below_estimate',
      message: `The run's budget of ${limitTokens} tokens is less than it needs at least, ${least.tokens}.`,
      blocks: stops(onExceeded),
    })
  return warnings
}

function sharedWarnings(
  { scope, persona, onExceeded, leftMicroUsd, leftTokens }: SharedBudget,
  least: Amount,
): PreviewWarning[] {
  const name = `${NAMES[scope]}${persona === undefined ? '' : ` of ${persona}`}`
  const lefts: [left: number | undefined, least: number, unit: string][] = [
    [leftMicroUsd, least.microUsd, 'micro-dollars'],
    [leftTokens, least.tokens, 'tokens'],
  ]
  return lefts.flatMap(([left, needed, unit]): PreviewWarning[] => {
    if (left === undefined || needed === 0 || !isLess(left, needed)) return []
    const isSpent = left === 0
    return [
      {
        code: isSpent ? 'shared_budget_spent' : 'shared_budget_below_estimate',
        message: isSpent
          ? `${name} has no ${unit} left.`
          : `${name} has ${left} ${unit} left; this run needs ${needed} at least.`,
        blocks: stops(onExceeded),
      },
    ]
  })
}

const NAMES: Record<SharedBudget['scope'], string> = {
  run: "The parent's budget",
  day: "Today's budget",
  'persona-day': "Today's budget",
  'tenant-day': "The tenant's budget of today",
}
