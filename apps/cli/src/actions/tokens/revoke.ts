import { DevflowError } from '@devflow/contracts'
import type { Command } from 'commander'
import { findId } from '../../ids.ts'
import { invocationOf } from '../../invocation.ts'

export async function revokeToken(text: string, _: object, command: Command): Promise<void> {
  const { json, screen, words, printJson, client } = invocationOf(command)
  const { noSuch, ambiguous, revoked } = words.tokens
  const { access } = client()
  const id = await findId(text, {
    among: () => access.list({ limit: 500 }),
    none: () => new DevflowError('NOT_FOUND', 'token_not_found', noSuch(text)),
    several: { code: 'ambiguous_token', say: ambiguous },
  })
  await access.revoke(id)
  if (json) return printJson({ id, revoked: true })
  screen.print(revoked(id))
}
