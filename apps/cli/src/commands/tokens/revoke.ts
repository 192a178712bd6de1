import type { Command } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'

export function addRevoke(tokens: Command, words: Words): void {
  const { help } = words.tokens
  tokens
    .command('revoke')
    .description(help.revoke)
    .argument('<id>', help.id)
    .action(onDemand(async () => (await import('../../actions/tokens/revoke.ts')).revokeToken))
}
