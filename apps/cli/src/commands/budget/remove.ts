import { BUDGET_SCOPES, type BudgetScope } from '@devflow/contracts'
import { Argument, type Command } from 'commander'
import type { Words } from '../../messages/words.ts'
import { badUsage } from '../../refuse.ts'
import { changeBudgets, isOf } from './change-budgets.ts'

export function addRemove(budget: Command, words: Words): void {
  const help = words.help.budget
  budget
    .command('remove')
    .description(help.remove)
    .addArgument(new Argument('<scope>', help.scope).choices(BUDGET_SCOPES))
    .option('--persona <id>', help.persona)
    .action(async (scope: BudgetScope, { persona }: { persona?: string }, command: Command) => {
      await changeBudgets(command, (settings) => {
        const others = settings.filter((setting) => !isOf(scope, persona)(setting))
        if (others.length === settings.length) throw badUsage(words.failures.noSuchBudget)
        return others
      })
    })
}
