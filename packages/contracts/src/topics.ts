import { z } from 'zod'
import { Principal } from './ids.ts'

const SEGMENT = '[A-Za-z0-9_-]+'

/** What an event from outside is about: words with dots between them, as in `orders.paid`. */
export const Topic = z
  .string()
  .max(200)
  .regex(new RegExp(`^${SEGMENT}(\\.${SEGMENT})*$`), {
    error: 'expected words of letters, digits, _ and - with dots between them, as in orders.paid',
  })
export type Topic = z.infer<typeof Topic>

/** Topics somebody wants to hear of: `*` stands for one word, `**` at the end for all that follow. */
export const TopicPattern = z
  .string()
  .max(200)
  .regex(new RegExp(`^(${SEGMENT}|\\*)(\\.(${SEGMENT}|\\*))*(\\.\\*\\*)?$|^\\*\\*$`), {
    error: 'expected a topic, * for any one word, or ** at the end for any words, as in orders.*',
  })
export type TopicPattern = z.infer<typeof TopicPattern>

/** Body of `POST /v1/events`. */
export const PublishEvent = z.strictObject({
  topic: Topic,
  data: z.json().optional(),
  id: z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe('an event of that topic and id counts once, however often it is sent'),
})
export type PublishEvent = z.infer<typeof PublishEvent>

/** An event from outside, as subscribers see it. `seq` orders the events of a tenant. */
export const TopicEvent = z.object({
  seq: z.int(),
  topic: Topic,
  id: z.string(),
  data: z.json(),
  actor: Principal,
  at: z.iso.datetime(),
})
export type TopicEvent = z.infer<typeof TopicEvent>

/** The answer to `POST /v1/events`. */
export const EventPublished = z.object({
  seq: z.int(),
  topic: Topic,
  id: z.string(),
  duplicate: z.boolean().describe('an event of that topic and id was there before, and is left as it is'),
})
export type EventPublished = z.infer<typeof EventPublished>

export const TopicEventPage = z.object({ items: z.array(TopicEvent), nextAfter: z.int() })
export type TopicEventPage = z.infer<typeof TopicEventPage>
