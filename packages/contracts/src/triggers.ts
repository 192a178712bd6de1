import { z } from 'zod'
import { SubmitRun } from './commands.ts'
import { ErrorRecord } from './errors.ts'
import { Principal, RunId } from './ids.ts'
import { Labels } from './runs.ts'
import { TopicPattern } from './topics.ts'

/** The id of a trigger or a schedule: part of addresses and of who submits. */
export const SourceId = z
  .string()
  .max(64)
  .regex(/^[a-z0-9][a-z0-9._-]*$/, { error: 'expected small letters, digits, ., _ or -' })
export type SourceId = z.infer<typeof SourceId>

/** What is submitted without a request: the body of `POST /v1/runs`, where `input` and `labels` may hold expressions. */
export const SubmitTemplate = SubmitRun.omit({ parent: true }).extend({ labels: Labels.optional() })
export type SubmitTemplate = z.infer<typeof SubmitTemplate>

/** Body of `PUT /v1/triggers/{id}`. */
export const PutTrigger = z.strictObject({
  topic: TopicPattern,
  match: z
    .string()
    .min(1)
    .max(4_000)
    .optional()
    .describe(
      'one expression over `event`, true for the events that are meant; all of the topic unless told',
    ),
  submit: SubmitTemplate.describe('what to submit; expressions in `input` and `labels` see `event`'),
  enabled: z.boolean().optional(),
})
export type PutTrigger = z.infer<typeof PutTrigger>

/** What became of one occasion to submit. */
export const Submission = z.object({
  status: z.enum(['waiting', 'submitted', 'skipped', 'failed']),
  runId: RunId.optional(),
  error: ErrorRecord.optional(),
  at: z.iso.datetime(),
})
export type Submission = z.infer<typeof Submission>

export const Trigger = z.object({
  id: SourceId,
  topic: TopicPattern,
  match: z.string().optional(),
  submit: SubmitTemplate,
  enabled: z.boolean(),
  actor: Principal,
  updatedAt: z.iso.datetime(),
  last: Submission.optional().describe('its latest occasion that matched'),
})
export type Trigger = z.infer<typeof Trigger>
