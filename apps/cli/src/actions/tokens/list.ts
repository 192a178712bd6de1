import type { Token } from '@devflow/client'
import type { Command } from 'commander'
import { listedIds, shortId } from '../../ids.ts'
import { invocationOf } from '../../invocation.ts'
import type { Words } from '../../messages/words.ts'
import { age } from '../../terminal/quantities.ts'
import type { Screen } from '../../terminal/screen.ts'
import { type Cell, table } from '../../terminal/table.ts'

interface Flags {
  limit: number
  cursor?: string
}

export async function listTokens(query: Flags, command: Command): Promise<void> {
  const { json, screen, words, printJson, client } = invocationOf(command)
  const page = await client().access.list(query)
  if (json) return printJson(page)
  screen.print(...(page.items.length > 0 ? lines(page.items, screen, words) : [words.tokens.none]))
  if (page.nextCursor) screen.print(screen.palette.faint(words.tokens.more(page.nextCursor)))
}

function lines(items: readonly Token[], screen: Screen, words: Words): string[] {
  const { columns } = words.tokens
  const ids = listedIds(
    items.map(({ id }) => id),
    screen,
  )
  return table(
    [
      { title: columns.id },
      { title: columns.name, gives: true },
      { title: columns.principal, gives: true },
      { title: columns.scopes, gives: true },
      { title: columns.expires },
      { title: columns.by, gives: true },
    ],
    items.map(({ id, name, principal, scopes, expiresAt, actor }, at) => [
      ids[at] ?? id,
      name,
      principalIn(screen, principal),
      scopes.join(','),
      expiryOf(expiresAt, words),
      principalIn(screen, actor),
    ]),
    screen,
  )
}

/** A token that is a principal of its own is named by its id, which people get short. */
const principalIn = ({ isTerminal }: Screen, principal: string): string =>
  isTerminal ? principal.replace(/(?<=^token:)[0-9a-f-]{36}$/, shortId) : principal

function expiryOf(expiresAt: string, { tokens: said }: Words): Cell {
  const now = new Date()
  const isOver = Date.parse(expiresAt) <= now.getTime()
  return isOver
    ? { text: said.expired, paint: 'bad' }
    : said.left(age(now.toISOString(), Date.parse(expiresAt)))
}
