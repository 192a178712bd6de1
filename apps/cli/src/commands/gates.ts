import type { Gate, GateStatus } from '@devflow/client'
import { GateStatus as Statuses } from '@devflow/contracts'
import { type Command, InvalidArgumentError } from 'commander'
import { approvals, timeLeft } from '../following/gate-lines.ts'
import { shortId } from '../ids.ts'
import { invocationOf } from '../invocation.ts'
import type { Words } from '../messages/words.ts'
import { age } from '../terminal/quantities.ts'
import type { Screen } from '../terminal/screen.ts'
import { table } from '../terminal/table.ts'
import { wordsIn } from './values.ts'

interface Flags {
  status?: GateStatus[]
}

export function addGates(program: Command, words: Words): void {
  program
    .command('gates')
    .description(words.help.gates.about)
    .option('--status <status>', words.help.gates.status, statusesIn)
    .action(async ({ status }: Flags, command: Command) => {
      const { json, screen, printJson, client } = invocationOf(command)
      const page = await client().gates.list({ status: status ?? 'open' })
      if (json) return printJson(page)
      const none = status ? words.gate.noneSo : words.gate.none
      screen.print(...(page.items.length > 0 ? lines(page.items, screen, words) : [none]))
    })
}

function statusesIn(text: string): GateStatus[] {
  return wordsIn(text).map((word) => {
    const status = Statuses.options.find((each) => each === word)
    if (!status) throw new InvalidArgumentError(Statuses.options.join(', '))
    return status
  })
}

function lines(gates: readonly Gate[], screen: Screen, words: Words): string[] {
  const { columns } = words.run
  return table(
    [
      { title: columns.run },
      { title: columns.gate },
      { title: columns.title, gives: true },
      { title: columns.decisions },
      { title: columns.left },
      { title: columns.age, align: 'right' },
    ],
    gates.map((gate) => [
      screen.isTerminal ? shortId(gate.runId) : gate.runId,
      gate.id,
      gate.title,
      gate.status === 'open'
        ? [
            words.gate.quorum(approvals(gate), gate.quorum),
            ...(gate.round ? [words.gate.round(gate.round, gate.maxRounds ?? gate.round)] : []),
          ].join(', ')
        : (words.run.statuses[gate.status] ?? gate.status),
      gate.deadline && gate.status === 'open' ? timeLeft(gate.deadline, words) : '',
      { text: age(gate.openedAt), paint: 'faint' },
    ]),
    screen,
  )
}
