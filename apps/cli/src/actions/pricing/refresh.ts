import type { Command } from 'commander'
import { EXIT } from '../../exit-codes.ts'
import { invocationOf } from '../../invocation.ts'
import { listLines } from './list-lines.ts'

export async function refreshPrices(_: object, command: Command): Promise<void> {
  const { json, screen, words, printJson, client } = invocationOf(command)
  const list = await client().pricing.refresh()
  const { requestedAt = '', attemptedAt = '', error, provider } = list
  if (error !== undefined) process.exitCode = EXIT.failed
  if (json) return printJson(list)
  const isAwaited = attemptedAt < requestedAt
  screen.print(...(isAwaited ? [words.pricing.awaited(provider)] : listLines(list, words)))
}
