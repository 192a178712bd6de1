import type { BudgetScope } from '@devflow/contracts'
import type { Command } from 'commander'
import { invocationOf } from '../../invocation.ts'
import { badUsage } from '../../refuse.ts'
import { changeBudgets, isOf } from './change-budgets.ts'

export async function removeBudget(
  scope: BudgetScope,
  { persona }: { persona?: string },
  command: Command,
): Promise<void> {
  const invocation = invocationOf(command)
  await changeBudgets(invocation, (settings) => {
    const others = settings.filter((setting) => !isOf(scope, persona)(setting))
    if (others.length === settings.length) throw badUsage(invocation.words.failures.noSuchBudget)
    return others
  })
}
