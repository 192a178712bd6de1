import { BudgetSetting, DevflowError } from '@devflow/contracts'
import { readBudgets, setBudgets, transaction } from '@devflow/db'
import { z } from 'zod'
import { BudgetList } from '../bodies.ts'
import type { ApiDeps } from '../deps.ts'
import { BUDGET_SETTINGS } from '../examples.ts'
import type { Operations } from '../operation.ts'

const tag = 'money'
const MOST_BUDGETS = 1_000

export function budgetRoutes(operations: Operations, deps: ApiDeps): void {
  const { pool, tenant } = deps

  operations.add(
    {
      method: 'get',
      path: '/v1/budgets',
      operationId: 'readBudgets',
      scope: 'runs:read',
      summary: 'Read the budgets, and what was charged to them today',
      description: 'Days are UTC. A call is charged to the day it was reserved on.',
      tag,
      answers: { 200: { description: 'All budgets, in the order they were set.', schema: BudgetList } },
      problems: [],
    },
    async ({ c }) => c.json({ items: await readBudgets(pool, tenant) }),
  )

  operations.add(
    {
      method: 'put',
      path: '/v1/budgets',
      operationId: 'setBudgets',
      scope: 'budgets:write',
      summary: 'Replace the budgets',
      description:
        'All of them: what is not in the list is no more. They hold at once, and count what was spent today before. Scope `run` is for runs whose template and submission say nothing; `day` holds over all tenants; `persona-day` without a persona is for each persona by itself.',
      tag,
      body: z.array(BudgetSetting).max(MOST_BUDGETS).meta({ id: 'BudgetSettings' }),
      bodyExamples: { 'Twenty dollars a day, five for one persona': BUDGET_SETTINGS },
      answers: { 200: { description: 'The budgets as they are now.', schema: BudgetList } },
      problems: [],
    },
    async ({ c, body, caller }) => {
      refuseOdd(body)
      const items = await transaction(pool, async (client) => {
        await setBudgets(client, tenant, caller.principal, body)
        return await readBudgets(client, tenant)
      })
      return c.json({ items })
    },
  )
}

/** Throws DevflowError INVALID `invalid` for what no schema of one budget sees. */
function refuseOdd(budgets: readonly BudgetSetting[]): void {
  const seen = new Set<string>()
  const errors = budgets.flatMap(({ scope, persona, limitMicroUsd, limitTokens }, index) => {
    const path = `[${index}]`
    const id = `${scope} ${persona ?? ''}`
    const twice = seen.has(id)
    seen.add(id)
    if (persona !== undefined && scope !== 'persona-day')
      return [{ path: `${path}.persona`, message: 'only the scope persona-day takes it' }]
    if (limitMicroUsd === undefined && limitTokens === undefined)
      return [{ path, message: 'expected limitMicroUsd, limitTokens or both' }]
    return twice ? [{ path, message: 'is in the list twice' }] : []
  })
  const [first] = errors
  if (first)
    throw new DevflowError('INVALID', 'invalid', `The body is not valid: ${first.path}: ${first.message}`, {
      errors,
    })
}
