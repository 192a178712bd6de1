import { z } from 'zod'

/** What the keyring is asked, account by account; `get` and `delete` of what is not there are no failures. */
export const KeyringTask = z.discriminatedUnion('do', [
  z.object({ do: z.literal('get'), account: z.string() }),
  z.object({ do: z.literal('set'), account: z.string(), key: z.string() }),
  z.object({ do: z.literal('delete'), account: z.string() }),
])
export type KeyringTask = z.infer<typeof KeyringTask>

/** What has come of all tasks: of each the key that it found, or that it deleted something; or why none could be done. */
export const KeyringAnswer = z.discriminatedUnion('is', [
  z.object({ is: z.literal('done'), results: z.array(z.union([z.string(), z.boolean(), z.null()])) }),
  z.object({ is: z.literal('away'), why: z.string() }),
])
export type KeyringAnswer = z.infer<typeof KeyringAnswer>
