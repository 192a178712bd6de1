import type { Gate, GateStatus } from '@devflow/client'
import type { Command } from 'commander'
import { approvals, timeLeft } from '../following/gate-lines.ts'
import { shortId } from '../ids.ts'
import { invocationOf } from '../invocation.ts'
import type { Words } from '../messages/words.ts'
import { age } from '../terminal/quantities.ts'
import type { Screen } from '../terminal/screen.ts'
import { table } from '../terminal/table.ts'

interface Flags {
  status?: GateStatus[]
}

export async function listGates({ status }: Flags, command: Command): Promise<void> {
  const { json, screen, words, printJson, client } = invocationOf(command)
  const page = await client().gates.list({ status: status ?? 'open' })
  if (json) return printJson(page)
  const none = status ? words.gate.noneSo : words.gate.none
  screen.print(...(page.items.length > 0 ? lines(page.items, screen, words) : [none]))
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
