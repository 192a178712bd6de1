import type { Command } from 'commander'
import type { Words } from '../messages/words.ts'
import { addRemove } from './budget/remove.ts'
import { addSet } from './budget/set.ts'
import { onDemand } from './on-demand.ts'

export function addBudget(program: Command, words: Words): void {
  const budget = program
    .command('budget')
    .description(words.help.budget.about)
    .helpCommand(false)
    .action(onDemand(async () => (await import('../actions/budget.ts')).showBudgets))
  addSet(budget, words)
  addRemove(budget, words)
}
