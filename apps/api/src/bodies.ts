import {
  ArtifactView,
  AuditItem,
  Backfilled,
  BudgetView,
  Call,
  Delivery,
  EventPage as EventPageShape,
  EventPublished,
  Gate,
  Me,
  NewToken,
  PhaseView,
  Problem,
  Replayed,
  Report,
  Run,
  RunEvent,
  RunPreview,
  SCOPES,
  Schedule,
  SignalAccepted as SignalAcceptedShape,
  SubmitRun,
  Token,
  TopicEvent,
  TopicEventPage as TopicEventPageShape,
  Trigger,
  UsageItem,
  Webhook,
  WebhookSecret,
} from '@devflow/contracts'
import { z } from 'zod'
import {
  ARTIFACT,
  BUDGET,
  CALL,
  DELIVERY,
  EVENT,
  GATE,
  NEW_TOKEN,
  PHASE,
  PREVIEW,
  RUN,
  RUN_ID,
  SCHEDULE,
  TOKEN,
  TOOL_CALL,
  TOPIC_EVENT,
  TRIGGER,
  USAGE,
  WEBHOOK,
} from './examples.ts'
import { REPORT } from './report-example.ts'

/** What operations answer, under the name and with the example it has in the OpenAPI document. */
export const named = <Shape extends z.ZodRawShape>(id: string, shape: Shape, example?: object) =>
  z.object(shape).meta({ id, ...(example ? { example } : {}) })

/** Every list. */
export const pageOf = <Item extends z.ZodType>(id: string, item: Item) =>
  named(
    id,
    { items: z.array(item), nextCursor: z.string().optional() },
    { items: [z.globalRegistry.get(item)?.example] },
  )

export const ProblemBody = named('Problem', Problem.shape)

/** What is submitted, or previewed. */
export const SubmitBody = SubmitRun.meta({ id: 'SubmitRun' })

export const RunBody = named('Run', Run.shape, RUN)
export const RunPreviewBody = named('RunPreview', RunPreview.shape, PREVIEW)
export const RunPage = pageOf('RunPage', RunBody)
export const PhasePage = pageOf('PhasePage', named('Phase', PhaseView.shape, PHASE))

export const EventPage = named(
  'EventPage',
  { ...EventPageShape.shape, items: z.array(named('RunEvent', RunEvent.shape)) },
  { items: [EVENT], nextAfter: 247, done: false },
)

export const GateBody = named('Gate', Gate.shape, GATE)
export const GatePage = pageOf('GatePage', GateBody)

export const SignalAccepted = named('SignalAccepted', SignalAcceptedShape.shape, {
  runId: RUN_ID,
  name: 'published',
  id: 's1',
  duplicate: false,
})

export const ArtifactPage = pageOf('ArtifactPage', named('Artifact', ArtifactView.shape, ARTIFACT))

export const ReportBody = named('Report', Report.shape, REPORT)

export const CallPage = pageOf('CallPage', named('Call', Call.shape, CALL))

export const AuditPage = pageOf('AuditPage', named('AuditItem', AuditItem.shape, TOOL_CALL))

export const UsagePage = pageOf('UsagePage', named('UsageItem', UsageItem.shape, USAGE))

export const MeBody = named('Me', Me.shape, {
  principal: 'owner',
  tenant: 'default',
  scopes: [...SCOPES],
  approverAs: ['owner', 'principal:owner'],
})

export const NewTokenBody = named('NewToken', NewToken.shape, NEW_TOKEN)

export const TokenPage = pageOf('TokenPage', named('Token', Token.shape, TOKEN))

export const EventPublishedBody = named('EventPublished', EventPublished.shape, {
  seq: 418,
  topic: 'orders.paid',
  id: 'order-17',
  duplicate: false,
})
export const TopicEventPage = named(
  'TopicEventPage',
  { ...TopicEventPageShape.shape, items: z.array(named('TopicEvent', TopicEvent.shape, TOPIC_EVENT)) },
  { items: [TOPIC_EVENT], nextAfter: 418 },
)

export const TriggerBody = named('Trigger', Trigger.shape, TRIGGER)
export const TriggerPage = pageOf('TriggerPage', TriggerBody)

export const ScheduleBody = named('Schedule', Schedule.shape, SCHEDULE)
export const SchedulePage = pageOf('SchedulePage', ScheduleBody)
export const BackfilledBody = named('Backfilled', Backfilled.shape, { times: 24, added: 23 })

/** All budgets: never so many that they need pages. */
export const BudgetList = named(
  'BudgetList',
  { items: z.array(named('Budget', BudgetView.shape, BUDGET)) },
  { items: [BUDGET] },
)

export const WebhookBody = named('Webhook', Webhook.shape, WEBHOOK)
export const WebhookPage = pageOf('WebhookPage', WebhookBody)
export const WebhookSecretBody = named('WebhookSecret', WebhookSecret.shape, {
  id: WEBHOOK.id,
  secret: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
  oldUntil: '2026-11-22T08:05:04.210Z',
})
export const DeliveryPage = pageOf('DeliveryPage', named('Delivery', Delivery.shape, DELIVERY))
export const ReplayedBody = named('Replayed', Replayed.shape, { replayed: 3 })
