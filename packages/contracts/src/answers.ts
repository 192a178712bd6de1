import { z } from 'zod'
import { RunEvent } from './events.ts'

/** A page of a run's log; `done`: the run is over and nothing lies after `nextAfter`. */
export const EventPage = z.object({
  items: z.array(RunEvent),
  nextAfter: z.int(),
  done: z.boolean(),
})
export type EventPage = z.infer<typeof EventPage>

/** A signal as it was taken; `duplicate`: it was on record already. */
export const SignalAccepted = z.object({
  runId: z.string(),
  name: z.string(),
  id: z.string(),
  duplicate: z.boolean(),
})
export type SignalAccepted = z.infer<typeof SignalAccepted>

/** A version of an artifact, without its bytes; reports have no phase. */
export const ArtifactView = z.object({
  name: z.string(),
  version: z.int(),
  sha256: z.string(),
  mediaType: z.string(),
  bytes: z.int(),
  phase: z.string().optional(),
  attempt: z.int().optional(),
  at: z.iso.datetime(),
})
export type ArtifactView = z.infer<typeof ArtifactView>

/** A call of a tool, as it was allowed or denied, and what came of it. */
export const AuditItem = z.object({
  seq: z.int(),
  tool: z.string(),
  args: z.json(),
  decision: z.enum(['allowed', 'denied']),
  phase: z.string().optional(),
  attempt: z.int().optional(),
  turn: z.int().optional(),
  exitCode: z.int().optional(),
  bytes: z.int().optional(),
  at: z.iso.datetime(),
})
export type AuditItem = z.infer<typeof AuditItem>
