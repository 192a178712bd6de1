import type { NewToken } from '@devflow/client'
import { DevflowError, SCOPES, type Scope } from '@devflow/contracts'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { invocationOf } from '../../invocation.ts'
import type { Words } from '../../messages/words.ts'
import { fieldLines } from '../../terminal/fields.ts'
import type { Screen } from '../../terminal/screen.ts'
import { wordsIn } from '../values.ts'

interface Flags {
  scope: Scope[]
  principal?: string
  role?: string[]
  expiresIn?: string
}

export function addMint(tokens: Command, words: Words): void {
  const { help, notShown } = words.tokens
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
    .action(async (name: string, { scope: scopes, role: roles, ...more }: Flags, command: Command) => {
      const { json, screen, printJson, client } = invocationOf(command)
      const minted = await client().access.mint({ name, scopes, ...(roles ? { roles } : {}), ...more })
      const { id, token } = minted
      if (json) printJson(minted)
      // Nobody can call with it, or will ever know it.
      if (token === undefined) throw new DevflowError('ALREADY_EXISTS', 'token_not_shown', notShown(id))
      if (!json) screen.print(...lines(minted, screen, words), '', words.tokens.once, token)
    })
}

function scopesIn(text: string, before: Scope[] = []): Scope[] {
  const scopes = wordsIn(text).map((word) => SCOPES.find((scope) => scope === word))
  const known = scopes.filter((scope) => scope !== undefined)
  if (known.length === 0 || known.length < scopes.length)
    throw new InvalidArgumentError(`Allowed choices are ${SCOPES.join(', ')}.`)
  return [...before, ...known]
}

function lines(
  { id, name, principal, roles, scopes, expiresAt }: NewToken,
  screen: Screen,
  { tokens }: Words,
): string[] {
  const { fields } = tokens
  return fieldLines(
    [
      [fields.id, id],
      [fields.name, name],
      [fields.principal, principal],
      ...(roles.length > 0 ? [[fields.roles, roles.join(', ')] as const] : []),
      [fields.scopes, scopes.join(', ')],
      [fields.expires, expiresAt],
    ],
    screen,
  )
}
