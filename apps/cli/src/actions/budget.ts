import type { Command } from 'commander'
import { invocationOf } from '../invocation.ts'
import { printBudgets } from './budget/budget-lines.ts'

export async function showBudgets(_: object, command: Command): Promise<void> {
  const invocation = invocationOf(command)
  printBudgets(invocation, await invocation.client().budgets.list())
}
