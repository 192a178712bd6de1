import type { Scope } from '@devflow/contracts'
import { SCOPES } from '@devflow/contracts/choices'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'
import { wordsIn } from '../values.ts'

export function addMint(tokens: Command, words: Words): void {
  const { help } = words.tokens
  tokens
    .command('mint')
    .description(help.mint)
    .argument('<name>', help.name)
    .addOption(
      // The choices are for help and completion: what is given may be several of them.
      new Option('--scope <scope>', help.scope).choices(SCOPES).argParser(scopesIn).makeOptionMandatory(),
    )
    .option('--principal <principal>', help.principal)
    .option('--role <role>', help.role, (role: string, before: string[] = []) => [...before, role])
    .option('--expires-in <duration>', help.expiresIn)
    .action(onDemand(async () => (await import('../../actions/tokens/mint.ts')).mintToken))
}

function scopesIn(text: string, before: Scope[] = []): Scope[] {
  const scopes = wordsIn(text).map((word) => SCOPES.find((scope) => scope === word))
  const known = scopes.filter((scope) => scope !== undefined)
  if (known.length === 0 || known.length < scopes.length)
    throw new InvalidArgumentError(`Allowed choices are ${SCOPES.join(', ')}.`)
  return [...before, ...known]
}
