import type { Command } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'
import { wholeIn } from '../values.ts'

export function addTokenList(tokens: Command, words: Words): void {
  const { help } = words.tokens
  tokens
    .command('list', { isDefault: true })
    .description(help.list)
    .option('--limit <count>', help.limit, wholeIn(words, 1, 500), 20)
    .option('--cursor <cursor>', help.cursor)
    .action(onDemand(async () => (await import('../../actions/tokens/list.ts')).listTokens))
}
