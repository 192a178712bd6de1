import type { Command } from 'commander'
import type { Words } from '../messages/words.ts'
import { addTokenList } from './tokens/list.ts'
import { addMint } from './tokens/mint.ts'
import { addRevoke } from './tokens/revoke.ts'

export function addTokens(program: Command, words: Words): void {
  const tokens = program.command('tokens').description(words.tokens.help.about).helpCommand(false)
  addTokenList(tokens, words)
  addMint(tokens, words)
  addRevoke(tokens, words)
}
