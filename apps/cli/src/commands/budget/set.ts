import type { BudgetSetting } from '@devflow/client'
import { BUDGET_SCOPES, BudgetPolicy, type BudgetScope } from '@devflow/contracts'
import { Argument, type Command, Option } from 'commander'
import type { Words } from '../../messages/words.ts'
import { badUsage } from '../../refuse.ts'
import { dollarsIn, wholeIn } from '../values.ts'
import { changeBudgets, isOf } from './change-budgets.ts'

interface Flags {
  persona?: string
  usd?: number
  tokens?: number
  policy: BudgetPolicy
  allowUnpriced?: boolean
}

export function addSet(budget: Command, words: Words): void {
  const help = words.help.budget
  budget
    .command('set')
    .description(help.set)
    .addArgument(new Argument('<scope>', help.scope).choices(BUDGET_SCOPES))
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
        await changeBudgets(command, (settings) => {
          const at = settings.findIndex(isOf(scope, persona))
          return at === -1 ? [...settings, setting] : settings.with(at, setting)
        })
      },
    )
}
