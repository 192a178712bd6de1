import type { GateStatus } from '@devflow/client'
import { GATE_STATUSES } from '@devflow/contracts/choices'
import { type Command, InvalidArgumentError } from 'commander'
import type { Words } from '../messages/words.ts'
import { onDemand } from './on-demand.ts'
import { wordsIn } from './values.ts'

export function addGates(program: Command, words: Words): void {
  program
    .command('gates')
    .description(words.help.gates.about)
    .option('--status <status>', words.help.gates.status, statusesIn)
    .action(onDemand(async () => (await import('../actions/gates.ts')).listGates))
}

function statusesIn(text: string): GateStatus[] {
  return wordsIn(text).map((word) => {
    const status = GATE_STATUSES.find((each) => each === word)
    if (!status) throw new InvalidArgumentError(GATE_STATUSES.join(', '))
    return status
  })
}
