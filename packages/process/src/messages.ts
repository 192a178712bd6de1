import { z } from 'zod'

/** What a supervisor tells its child over IPC. The child answers each ping with a pong of the same `n`. */
export const ParentMessage = z.object({ type: z.literal('ping'), n: z.int() })
export type ParentMessage = z.infer<typeof ParentMessage>

/**
 * What a child tells its supervisor over IPC. `ready` is told once, with the port it listens on if it does; a `notice` is for
 * the person who started it all.
 */
export const ChildMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), port: z.int().optional() }),
  z.object({ type: z.literal('pong'), n: z.int() }),
  z.object({ type: z.literal('notice'), text: z.string() }),
])
export type ChildMessage = z.infer<typeof ChildMessage>
