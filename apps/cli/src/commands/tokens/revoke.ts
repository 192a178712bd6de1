import { DevflowError } from '@devflow/contracts'
import type { Command } from 'commander'
import { findId } from '../../ids.ts'
import { invocationOf } from '../../invocation.ts'
import type { Words } from '../../messages/words.ts'

export function addRevoke(tokens: Command, words: Words): void {
  const { help, noSuch, ambiguous, revoked } = words.tokens
  tokens
    .command('revoke')
    .description(help.revoke)
    .argument('<id>', help.id)
    .action(async (text: string, _: object, command: Command) => {
      const { json, screen, printJson, client } = invocationOf(command)
      const { access } = client()
      const id = await findId(text, {
        among: () => access.list({ limit: 500 }),
        none: () => new DevflowError('NOT_FOUND', 'token_not_found', noSuch(text)),
        several: { code: 'ambiguous_token', say: ambiguous },
      })
      await access.revoke(id)
      if (json) return printJson({ id, revoked: true })
      screen.print(revoked(id))
    })
}
