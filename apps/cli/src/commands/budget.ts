import type { BudgetDay, BudgetSetting, BudgetView } from '@devflow/client'
import { BUDGET_SCOPES, BudgetPolicy, type BudgetScope } from '@devflow/contracts'
import { Argument, type Command, Option } from 'commander'
import { type Invocation, invocationOf } from '../invocation.ts'
import type { Words } from '../messages/words.ts'
import { badUsage } from '../refuse.ts'
import { count, dollars, Sum } from '../terminal/quantities.ts'
import { table } from '../terminal/table.ts'
import { dollarsIn, wholeIn } from './values.ts'

interface Which {
  persona?: string
}

interface Flags extends Which {
  usd?: number
  tokens?: number
  policy: BudgetPolicy
  allowUnpriced?: boolean
}

export function addBudget(program: Command, words: Words): void {
  const help = words.help.budget
  const scope = () => new Argument('<scope>', help.scope).choices(BUDGET_SCOPES)
  const budget = program.command('budget').description(help.about).helpCommand(false).action(show)
  budget
    .command('set')
    .description(help.set)
    .addArgument(scope())
    .option('--persona <id>', help.persona)
    .option('--usd <dollars>', help.usd, dollarsIn(words))
    .option('--tokens <count>', help.tokens, wholeIn(words, 1, Number.MAX_SAFE_INTEGER))
    .addOption(new Option('--policy <policy>', help.policy).choices(BudgetPolicy.options).default('block'))
    .option('--allow-unpriced', help.allowUnpriced)
    .action(
      async (
        scope: BudgetScope,
        { persona, usd, tokens, policy, allowUnpriced }: Flags,
        command: Command,
      ) => {
        if (usd === undefined && tokens === undefined) throw badUsage(words.failures.limitsNothing)
        const setting: BudgetSetting = {
          scope,
          ...(persona === undefined ? {} : { persona }),
          ...(usd === undefined ? {} : { limitMicroUsd: usd }),
          ...(tokens === undefined ? {} : { limitTokens: tokens }),
          onExceeded: policy,
          ...(allowUnpriced ? { allowUnpriced } : {}),
        }
        await change(command, (settings) => {
          const at = settings.findIndex(isOf(scope, persona))
          return at === -1 ? [...settings, setting] : settings.with(at, setting)
        })
      },
    )
  budget
    .command('remove')
    .description(help.remove)
    .addArgument(scope())
    .option('--persona <id>', help.persona)
    .action(async (scope: BudgetScope, { persona }: Which, command: Command) => {
      await change(command, (settings) => {
        const others = settings.filter((setting) => !isOf(scope, persona)(setting))
        if (others.length === settings.length) throw badUsage(words.failures.noSuchBudget)
        return others
      })
    })
}

const isOf =
  (scope: BudgetScope, persona: string | undefined) =>
  (setting: BudgetSetting): boolean =>
    setting.scope === scope && setting.persona === persona

async function show(_: object, command: Command): Promise<void> {
  const invocation = invocationOf(command)
  print(invocation, await invocation.client().budgets.list())
}

/** The API takes all budgets at once: they are read, changed and written. */
async function change(command: Command, how: (settings: BudgetSetting[]) => BudgetSetting[]): Promise<void> {
  const invocation = invocationOf(command)
  const { budgets } = invocation.client()
  const settings = (await budgets.list()).map(({ today: _, ...setting }): BudgetSetting => setting)
  print(invocation, await budgets.set(how(settings)))
}

function print({ json, screen, words, printJson }: Invocation, items: readonly BudgetView[]): void {
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
