import type { PriceView } from '@devflow/client'
import type { Provider } from '@devflow/contracts'
import type { Command } from 'commander'
import { type Invocation, invocationOf } from '../../invocation.ts'
import { age } from '../../terminal/quantities.ts'
import { table } from '../../terminal/table.ts'
import { listLines } from './list-lines.ts'

interface Flags {
  provider?: Provider
  model?: string
}

export async function listPrices(query: Flags, command: Command): Promise<void> {
  const invocation = invocationOf(command)
  const { json, screen, words, printJson } = invocation
  const { pricing } = invocation.client()
  const [items, lists] = await Promise.all([
    Array.fromAsync(pricing.list({ ...query, limit: 1_000 })),
    pricing.lists(),
  ])
  if (json) return printJson({ items, lists })
  screen.print(...(items.length > 0 ? lines(items, invocation) : [words.pricing.none]))
  screen.print(...lists.flatMap((list) => listLines(list, words)).map((line) => screen.palette.faint(line)))
}

function lines(items: readonly PriceView[], { screen, words }: Invocation): string[] {
  const { columns, sources, note } = words.pricing
  return [
    ...table(
      [
        { title: columns.provider },
        { title: columns.model, gives: true },
        { title: columns.input, align: 'right' },
        { title: columns.output, align: 'right' },
        { title: columns.cached, align: 'right' },
        { title: columns.source },
        { title: columns.age, align: 'right' },
      ],
      items.map(({ provider, model, price, source, fetchedAt }) => [
        provider,
        model,
        dollarsAMillion(price.input),
        dollarsAMillion(price.output),
        price.cacheRead === undefined ? '' : dollarsAMillion(price.cacheRead),
        { text: sources[source], paint: 'faint' },
        { text: age(fetchedAt), paint: 'faint' },
      ]),
      screen,
    ),
    screen.palette.faint(note),
  ]
}

/** A micro-dollar a token is a dollar for a million of them. */
const dollarsAMillion = (microUsd: number): string =>
  `$${microUsd.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 12 })}`
