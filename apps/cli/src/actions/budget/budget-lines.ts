import type { BudgetDay, BudgetView } from '@devflow/client'
import type { Invocation } from '../../invocation.ts'
import type { Words } from '../../messages/words.ts'
import { count, dollars, Sum } from '../../terminal/quantities.ts'
import { table } from '../../terminal/table.ts'

/** Prints budgets, with what was charged to them today. */
export function printBudgets(
  { json, screen, words, printJson }: Invocation,
  items: readonly BudgetView[],
): void {
  if (json) printJson({ items })
  else
    screen.print(
      ...(items.length > 0 ? table(columnsOf(words), items.map(rowOf(words)), screen) : [words.budget.none]),
    )
}

function columnsOf({ budget: { columns } }: Words) {
  return [
    { title: columns.scope },
    { title: columns.persona, gives: true },
    { title: columns.limit, align: 'right' as const },
    { title: columns.today, align: 'right' as const },
    { title: columns.policy },
  ]
}

const rowOf =
  ({ budget: said }: Words) =>
  ({
    scope,
    persona,
    limitMicroUsd,
    limitTokens,
    onExceeded,
    allowUnpriced,
    today,
  }: BudgetView): string[] => {
    const each = scope === 'persona-day' && persona === undefined
    return [
      scope,
      each ? said.each : (persona ?? ''),
      amounts(said, limitMicroUsd, limitTokens),
      scope === 'run' ? '' : charged(said, today, limitMicroUsd !== undefined, limitTokens !== undefined),
      allowUnpriced ? `${said.policies[onExceeded]}, ${said.unpriced}` : said.policies[onExceeded],
    ]
  }

/** What is spent and reserved; where each persona has its own, of the one that has the most. */
function charged(
  said: Words['budget'],
  today: readonly BudgetDay[],
  money: boolean,
  tokens: boolean,
): string {
  const sums = today.map((day) => {
    const sum = new Sum()
    sum.add(day.spentMicroUsd)
    sum.add(day.reservedMicroUsd)
    return { microUsd: sum.microUsd, tokens: day.spentTokens + day.reservedTokens }
  })
  return amounts(
    said,
    money ? Math.max(0, ...sums.map(({ microUsd }) => microUsd)) : undefined,
    tokens ? Math.max(0, ...sums.map((each) => each.tokens)) : undefined,
  )
}

function amounts(said: Words['budget'], microUsd: number | undefined, tokens: number | undefined): string {
  return [
    ...(microUsd === undefined ? [] : [dollars(microUsd)]),
    ...(tokens === undefined ? [] : [said.tokens(count(tokens))]),
  ].join(', ')
}
