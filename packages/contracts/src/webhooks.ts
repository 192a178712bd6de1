import { z } from 'zod'
import { DELIVERY_STATUSES } from './choices.ts'
import { EntryId, Principal, RunId } from './ids.ts'
import { Labels } from './runs.ts'
import { TopicPattern } from './topics.ts'
import { SourceId } from './triggers.ts'

const Url = z.url({ protocol: /^https?$/, error: 'expected an address with http or https' }).max(2_000)

/** Body of `PUT /v1/webhooks/{id}`. */
export const PutWebhook = z.strictObject({
  url: Url,
  events: z
    .array(TopicPattern)
    .min(1)
    .max(50)
    .describe(
      'types of events in the logs of runs, as in run.completed, gate.* or **; not turns, tools and calls',
    ),
  template: EntryId.optional().describe('only runs of this template; without a version of all its versions'),
  labels: Labels.optional().describe('only runs with these labels'),
  enabled: z.boolean().optional(),
})
export type PutWebhook = z.infer<typeof PutWebhook>

export const Webhook = z.object({
  id: SourceId,
  url: z.string(),
  events: z.array(TopicPattern),
  template: EntryId.optional(),
  labels: Labels,
  enabled: z.boolean(),
  offBecause: z.string().optional().describe('why it was switched off: its receiver answered 410 Gone'),
  actor: Principal,
  updatedAt: z.iso.datetime(),
  pending: z.int().describe('deliveries under way'),
  dead: z.int().describe('deliveries given up'),
  secret: z.string().optional().describe('shown once, when it is made'),
})
export type Webhook = z.infer<typeof Webhook>

/** The secret that signs from now on; the one before signs as well until `oldUntil`. */
export const WebhookSecret = z.object({ id: SourceId, secret: z.string(), oldUntil: z.iso.datetime() })
export type WebhookSecret = z.infer<typeof WebhookSecret>

export const DeliveryStatus = z.enum(DELIVERY_STATUSES)

/** Something a webhook is told. `id` is the `webhook-id` of its messages, the same in every attempt. */
export const Delivery = z.object({
  id: z.string(),
  runId: RunId,
  seq: z.int(),
  type: z.string(),
  status: DeliveryStatus,
  attempts: z.int(),
  nextAt: z.iso.datetime().optional(),
  answered: z.int().optional().describe('the last HTTP status'),
  error: z.string().optional(),
  createdAt: z.iso.datetime(),
  endedAt: z.iso.datetime().optional(),
})
export type Delivery = z.infer<typeof Delivery>

export const Replayed = z.object({ replayed: z.int() })
export type Replayed = z.infer<typeof Replayed>
