import { USAGE_BY } from '@devflow/contracts/choices'
import { type Command, Option } from 'commander'
import type { Words } from '../messages/words.ts'
import { onDemand } from './on-demand.ts'

export function addUsage(program: Command, words: Words): void {
  const help = words.help.usage
  program
    .command('usage')
    .description(help.about)
    .addOption(new Option('--by <what>', help.by).choices(USAGE_BY).default('model'))
    .option('--label <key>', help.label)
    .option('--from <time>', help.from)
    .option('--to <time>', help.to)
    .option('--csv', help.csv)
    .action(onDemand(async () => (await import('../actions/usage.ts')).showUsage))
}
