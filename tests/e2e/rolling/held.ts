import { playAgent } from '@devflow/testing'
import type { Stack } from '../../support/stack.ts'

/** An agent in whose prompt it stands waits at the provider with its second turn, until the test lets it go on. */
export const HELD_MARK = '[held]'

/** Keeps the second turns of marked agents from being answered; what it returns lets them go. */
export function holdSecondTurns(stack: Stack): () => void {
  const { promise, resolve } = Promise.withResolvers<void>()
  stack.fake.script(async (request) => {
    const [said, told] = ['assistant', 'user'].map((who) =>
      request.messages.filter(({ role }) => role === who),
    )
    if (said?.length === 1 && told?.[0]?.content?.includes(HELD_MARK)) await promise
    return playAgent(request)
  })
  return resolve
}
