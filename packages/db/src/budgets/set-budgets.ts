import type { BudgetSetting } from '@devflow/contracts'
import type { Queryable } from '../read/queryable.ts'

/** Replaces a tenant's budgets. They hold at once, for what was spent today as well. */
export async function setBudgets(
  db: Queryable,
  tenant: string,
  actor: string,
  budgets: readonly BudgetSetting[],
): Promise<void> {
  await db.query({
    name: 'set-budgets',
    text: 'select devflow.set_budgets($1, $2, $3::jsonb)',
    values: [tenant, actor, JSON.stringify(budgets)],
  })
}
