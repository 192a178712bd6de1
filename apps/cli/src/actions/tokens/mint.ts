import type { NewToken } from '@devflow/client'
import { DevflowError, type Scope } from '@devflow/contracts'
import type { Command } from 'commander'
import { invocationOf } from '../../invocation.ts'
import type { Words } from '../../messages/words.ts'
import { fieldLines } from '../../terminal/fields.ts'
import type { Screen } from '../../terminal/screen.ts'

interface Flags {
  scope: Scope[]
  principal?: string
  role?: string[]
  expiresIn?: string
}

export async function mintToken(
  name: string,
  { scope: scopes, role: roles, ...more }: Flags,
  command: Command,
): Promise<void> {
  const { json, screen, words, printJson, client } = invocationOf(command)
  const minted = await client().access.mint({ name, scopes, ...(roles ? { roles } : {}), ...more })
  const { id, token } = minted
  if (json) printJson(minted)
  // Nobody can call with it, or will ever know it.
  if (token === undefined)
    throw new DevflowError('ALREADY_EXISTS', 'token_not_shown', words.tokens.notShown(id))
  if (!json) screen.print(...lines(minted, screen, words), '', words.tokens.once, token)
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
