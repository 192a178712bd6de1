import type { Command } from 'commander'
import { invocationOf } from '../invocation.ts'
import type { Words } from '../messages/words.ts'
import { printBudgets } from './budget/budget-lines.ts'
import { addRemove } from './budget/remove.ts'
import { addSet } from './budget/set.ts'

export function addBudget(program: Command, words: Words): void {
  const budget = program
    .command('budget')
    .description(words.help.budget.about)
    .helpCommand(false)
    .action(show)
  addSet(budget, words)
  addRemove(budget, words)
}

async function show(_: object, command: Command): Promise<void> {
  const invocation = invocationOf(command)
  printBudgets(invocation, await invocation.client().budgets.list())
}
