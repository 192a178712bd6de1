import { BUDGET_SCOPES } from '@devflow/contracts/choices'
import { Argument, type Command } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'

export function addRemove(budget: Command, words: Words): void {
  const help = words.help.budget
  budget
    .command('remove')
    .description(help.remove)
    .addArgument(new Argument('<scope>', help.scope).choices(BUDGET_SCOPES))
    .option('--persona <id>', help.persona)
    .action(onDemand(async () => (await import('../../actions/budget/remove.ts')).removeBudget))
}
