import { z } from 'zod'
import { ErrorRecord } from './errors.ts'
import { Gate } from './gates.ts'
import { PhaseStatus, RunStatus, Usage } from './runs.ts'

export const REPORT_FORMAT = 1

/** What a run did, by whom, with what money: written at its end, as JSON and Markdown. */
export const Report = z.object({
  format: z.literal(REPORT_FORMAT),
  runId: z.string(),
  template: z.string(),
  title: z.string(),
  definitionHash: z.string(),
  outcome: RunStatus,
  attempt: z.int(),
  input: z.json(),
  output: z.json().optional(),
  error: ErrorRecord.optional(),
  actor: z.string(),
  createdAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  latencyMs: z.number(),
  usage: Usage.extend({ calls: z.int() }),
  phases: z.array(
    z.object({
      id: z.string(),
      kind: z.string(),
      status: PhaseStatus,
      attempts: z.int(),
      persona: z.string().optional(),
      model: z.string().optional(),
      turns: z.int(),
      repairs: z.int(),
      costMicroUsd: z.number(),
      error: ErrorRecord.optional(),
      artifact: z
        .object({ name: z.string(), version: z.int(), sha256: z.string(), content: z.json() })
        .optional(),
      gate: Gate.pick({ status: true, title: true, decisions: true }).optional(),
    }),
  ),
})
export type Report = z.infer<typeof Report>
