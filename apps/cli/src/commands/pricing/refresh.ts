import type { Command } from 'commander'
import { EXIT } from '../../exit-codes.ts'
import { invocationOf } from '../../invocation.ts'
import type { Words } from '../../messages/words.ts'
import { listLines } from './list-lines.ts'

export function addPriceRefresh(pricing: Command, words: Words): void {
  pricing
    .command('refresh')
    .description(words.help.pricing.refresh)
    .action(async (_: object, command: Command) => {
      const { json, screen, printJson, client } = invocationOf(command)
      const list = await client().pricing.refresh()
      const { requestedAt = '', attemptedAt = '', error, provider } = list
      if (error !== undefined) process.exitCode = EXIT.failed
      if (json) return printJson(list)
      const isAwaited = attemptedAt < requestedAt
      screen.print(...(isAwaited ? [words.pricing.awaited(provider)] : listLines(list, words)))
    })
}
