import type { BudgetSetting } from '@devflow/client'
import type { BudgetScope } from '@devflow/contracts'
import type { Invocation } from '../../invocation.ts'
import { printBudgets } from './budget-lines.ts'

/** Whether a budget is the one of this scope and persona. */
export const isOf =
  (scope: BudgetScope, persona: string | undefined) =>
  (setting: BudgetSetting): boolean =>
    setting.scope === scope && setting.persona === persona

/** The API takes all budgets at once: they are read, changed and written. */
export async function changeBudgets(
  invocation: Invocation,
  how: (settings: BudgetSetting[]) => BudgetSetting[],
): Promise<void> {
  const { budgets } = invocation.client()
  const settings = (await budgets.list()).map(({ today: _, ...setting }): BudgetSetting => setting)
  printBudgets(invocation, await budgets.set(how(settings)))
}
