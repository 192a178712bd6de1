import type { Run } from '@devflow/client'
import { RUN_STATUSES, type RunStatus } from '@devflow/contracts'
import { type Command, InvalidArgumentError } from 'commander'
import { listedIds } from '../../ids.ts'
import { invocationOf } from '../../invocation.ts'
import type { Words } from '../../messages/words.ts'
import { age, dollars } from '../../terminal/quantities.ts'
import type { Screen } from '../../terminal/screen.ts'
import { paintOf } from '../../terminal/status-paint.ts'
import { table } from '../../terminal/table.ts'
import { collect, type Pair, pairIn, wholeIn, wordsIn } from '../values.ts'

interface Flags {
  status?: RunStatus[]
  template?: string
  label?: Pair[]
  limit: number
  cursor?: string
}

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
    .action(async ({ label, ...query }: Flags, command: Command) => {
      const invocation = invocationOf(command)
      const labels = label && Object.fromEntries(label)
      const page = await invocation.client().runs.list({ ...query, ...(labels ? { labels } : {}) })
      if (invocation.json) return invocation.printJson(page)
      const { screen } = invocation
      screen.print(...(page.items.length > 0 ? lines(page.items, screen, words) : [words.run.none]))
      if (page.nextCursor) screen.print(screen.palette.faint(words.run.moreRuns(page.nextCursor)))
    })
}

function statusesIn(text: string): RunStatus[] {
  return wordsIn(text).map((word) => {
    const status = RUN_STATUSES.find((each) => each === word)
    if (!status) throw new InvalidArgumentError(RUN_STATUSES.join(', '))
    return status
  })
}

function lines(runs: readonly Run[], screen: Screen, { run: words }: Words): string[] {
  const { columns } = words
  const names = listedIds(
    runs.map(({ id }) => id),
    screen,
  )
  return table(
    [
      { title: columns.run },
      { title: columns.status },
      { title: columns.template, gives: true },
      { title: columns.cost, align: 'right' },
      { title: columns.age, align: 'right' },
    ],
    runs.map((run, at) => [
      names[at] ?? run.id,
      { text: words.statuses[run.status] ?? run.status, paint: paintOf(run.status) },
      run.template,
      dollars(run.usage.costMicroUsd),
      { text: age(run.createdAt), paint: 'faint' },
    ]),
    screen,
  )
}
