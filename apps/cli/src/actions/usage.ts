import type { UsageItem, UsageQuery } from '@devflow/client'
import type { UsageBy } from '@devflow/contracts'
import type { Command } from 'commander'
import { shortId } from '../ids.ts'
import { type Invocation, invocationOf } from '../invocation.ts'
import type { Words } from '../messages/words.ts'
import { badUsage } from '../refuse.ts'
import { count, dollars, Sum } from '../terminal/quantities.ts'
import { table } from '../terminal/table.ts'

interface Flags {
  by: UsageBy
  label?: string
  from?: string
  to?: string
  csv?: boolean
}

export async function showUsage({ csv, ...asked }: Flags, command: Command): Promise<void> {
  const invocation = invocationOf(command)
  const { json, screen, words, printJson } = invocation
  if (csv && json) throw badUsage(words.failures.csvOrJson)
  const query: UsageQuery = { ...asked, by: asked.label === undefined ? asked.by : 'label' }
  if (query.by === 'label' && query.label === undefined) throw badUsage(words.failures.whichLabel)
  const { usage } = invocation.client()
  if (csv) return screen.write(await usage.csv(query))
  const items = await Array.fromAsync(usage.list({ ...query, limit: PAGE }))
  if (json) return printJson({ items })
  screen.print(...(items.length > 0 ? lines(items, query, invocation) : [words.usage.none]))
}

const PAGE = 1_000

function lines(items: readonly UsageItem[], query: UsageQuery, { screen, words }: Invocation): string[] {
  const { titles, columns, atMost, total, totalWithOpen } = words.usage
  const cost = sumOf(items, 'costMicroUsd')
  const open = sumOf(items, 'unsettledMicroUsd')
  const calls = items.reduce((sum, item) => sum + item.calls, 0)
  return [
    ...table(
      [
        { title: query.label ?? titles[query.by], gives: true },
        { title: columns.calls, align: 'right' },
        { title: columns.in, align: 'right' },
        { title: columns.cached, align: 'right' },
        { title: columns.out, align: 'right' },
        { title: columns.cost, align: 'right' },
        ...(open > 0 ? [{ title: columns.open, align: 'right' as const }] : []),
      ],
      inOrder(items, query.by).map((item) => [
        nameOf(item, query, words, screen.isTerminal),
        count(item.calls),
        count(item.inputTokens),
        item.cachedTokens > 0 ? count(item.cachedTokens) : '',
        count(item.outputTokens),
        dollars(item.costMicroUsd),
        item.unsettledMicroUsd > 0 ? atMost(dollars(item.unsettledMicroUsd)) : '',
      ]),
      screen,
    ),
    screen.palette.faint(
      open > 0 ? totalWithOpen(calls, dollars(cost), dollars(open)) : total(calls, dollars(cost)),
    ),
  ]
}

function sumOf(items: readonly UsageItem[], field: 'costMicroUsd' | 'unsettledMicroUsd'): number {
  const sum = new Sum()
  for (const item of items) sum.add(item[field])
  return sum.microUsd
}

/** Days and runs are left newest first; of all else the dearest comes first. */
function inOrder(items: readonly UsageItem[], by: UsageBy): readonly UsageItem[] {
  if (by === 'day' || by === 'run') return items
  return items.toSorted((one, other) => other.costMicroUsd - one.costMicroUsd)
}

function nameOf(
  { key, provider, deleted }: UsageItem,
  { by, label = '' }: UsageQuery,
  { usage }: Words,
  isTerminal: boolean,
): string {
  if (key === undefined) return usage.unlabelled(label)
  if (by === 'model' && provider !== undefined && provider !== 'openrouter') return `${provider}: ${key}`
  if (by !== 'run') return key
  const run = isTerminal ? shortId(key) : key
  return deleted ? usage.deleted(run) : run
}
