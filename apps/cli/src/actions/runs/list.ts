import type { Run } from '@devflow/client'
import type { RunStatus } from '@devflow/contracts'
import type { Command } from 'commander'
import type { Pair } from '../../commands/values.ts'
import { listedIds } from '../../ids.ts'
import { invocationOf } from '../../invocation.ts'
import type { Words } from '../../messages/words.ts'
import { age, dollars } from '../../terminal/quantities.ts'
import type { Screen } from '../../terminal/screen.ts'
import { paintOf } from '../../terminal/status-paint.ts'
import { table } from '../../terminal/table.ts'

interface Flags {
  status?: RunStatus[]
  template?: string
  label?: Pair[]
  limit: number
  cursor?: string
}

export async function listRuns({ label, ...query }: Flags, command: Command): Promise<void> {
  const invocation = invocationOf(command)
  const labels = label && Object.fromEntries(label)
  const page = await invocation.client().runs.list({ ...query, ...(labels ? { labels } : {}) })
  if (invocation.json) return invocation.printJson(page)
  const { screen, words } = invocation
  screen.print(...(page.items.length > 0 ? lines(page.items, screen, words) : [words.run.none]))
  if (page.nextCursor) screen.print(screen.palette.faint(words.run.moreRuns(page.nextCursor)))
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
