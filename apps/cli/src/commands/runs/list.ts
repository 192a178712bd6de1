import type { RunStatus } from '@devflow/contracts'
import { RUN_STATUSES } from '@devflow/contracts/choices'
import { type Command, InvalidArgumentError } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'
import { collect, pairIn, wholeIn, wordsIn } from '../values.ts'

const MOST = 200

export function addList(runs: Command, words: Words): void {
  const help = words.help.runs
  runs
    .command('list')
    .description(help.list)
    .option('--status <status>', help.status, statusesIn)
    .option('--template <id>', help.template)
    .option('--label <k=v>', help.label, collect(pairIn(words)))
    .option('--limit <count>', help.limit, wholeIn(words, 1, MOST), 20)
    .option('--cursor <cursor>', help.cursor)
    .action(onDemand(async () => (await import('../../actions/runs/list.ts')).listRuns))
}

function statusesIn(text: string): RunStatus[] {
  return wordsIn(text).map((word) => {
    const status = RUN_STATUSES.find((each) => each === word)
    if (!status) throw new InvalidArgumentError(RUN_STATUSES.join(', '))
    return status
  })
}
