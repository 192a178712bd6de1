import { BUDGET_POLICIES, BUDGET_SCOPES } from '@devflow/contracts/choices'
import { Argument, type Command, Option } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'
import { dollarsIn, wholeIn } from '../values.ts'

export function addSet(budget: Command, words: Words): void {
  const help = words.help.budget
  budget
    .command('set')
    .description(help.set)
    .addArgument(new Argument('<scope>', help.scope).choices(BUDGET_SCOPES))
    .option('--persona <id>', help.persona)
    .option('--usd <dollars>', help.usd, dollarsIn(words))
    .option('--tokens <count>', help.tokens, wholeIn(words, 1, Number.MAX_SAFE_INTEGER))
    .addOption(new Option('--policy <policy>', help.policy).choices(BUDGET_POLICIES).default('block'))
    .option('--allow-unpriced', help.allowUnpriced)
    .action(onDemand(async () => (await import('../../actions/budget/set.ts')).setBudget))
}
