import type { Call } from '@devflow/client'
import type { Command } from 'commander'
import { invocationOf } from '../invocation.ts'
import type { Words } from '../messages/words.ts'
import { badUsage } from '../refuse.ts'
import { findRunId } from '../run-id.ts'
import { count, dollars, Sum, span } from '../terminal/quantities.ts'
import type { Screen } from '../terminal/screen.ts'
import { table } from '../terminal/table.ts'

export async function showCalls(text: string, { csv }: { csv?: boolean }, command: Command): Promise<void> {
  const { json, screen, words, printJson, client: connect } = invocationOf(command)
  if (csv && json) throw badUsage(words.failures.csvOrJson)
  const client = connect()
  const id = await findRunId(client, text, words)
  if (csv) return screen.write(await client.runs.callsCsv(id))
  const items = await Array.fromAsync(client.runs.calls(id))
  if (json) return printJson({ items })
  screen.print(...(items.length > 0 ? lines(items, screen, words) : [words.run.noCalls]))
}

function lines(calls: readonly Call[], screen: Screen, { run }: Words): string[] {
  const { columns } = run
  const total = new Sum()
  for (const { costMicroUsd = 0 } of calls) total.add(costMicroUsd)
  return [
    ...table(
      [
        { title: columns.phase, gives: true },
        { title: columns.turn, align: 'right' },
        { title: columns.model, gives: true },
        { title: columns.status },
        { title: columns.in, align: 'right' },
        { title: columns.out, align: 'right' },
        { title: columns.cost, align: 'right' },
        { title: columns.took, align: 'right' },
      ],
      calls.map((call) => [
        call.attempt > 1 ? `${call.phase}/${call.attempt}` : call.phase,
        String(call.turn),
        { text: call.modelUsed ?? call.model, paint: 'faint' },
        { text: call.status, paint: call.status === 'settled' ? 'plain' : 'notice' },
        call.inputTokens === undefined ? '' : count(call.inputTokens),
        call.outputTokens === undefined ? '' : count(call.outputTokens),
        call.costMicroUsd === undefined ? `≤${dollars(call.reservedMicroUsd)}` : dollars(call.costMicroUsd),
        call.latencyMs === undefined ? '' : span(call.latencyMs),
      ]),
      screen,
    ),
    screen.palette.faint(run.total(calls.length, dollars(total.microUsd))),
  ]
}
