import type { ArtifactView, ChunkReset, RunChunk, RunEvent } from '@devflow/contracts'

export type {
  AppliedChange,
  ArtifactView,
  AuditItem,
  Budget,
  BudgetDay,
  BudgetSetting,
  BudgetView,
  Call,
  ChangeOp,
  ChangeRegistry,
  ChunkReset,
  ControlRun,
  DecideGate,
  DecisionKind,
  DelegateGate,
  Delivery,
  EntryKind,
  ErrorDetail,
  ErrorKind,
  ErrorRecord,
  EventPage,
  EventPublished,
  EventType,
  ForkRun,
  Gate,
  GateDecision,
  GateStatus,
  Me,
  NewToken,
  Occasion,
  PhaseEstimate,
  PhasePreview,
  PhaseStatus,
  PhaseView,
  PostToken,
  PreviewWarning,
  PriceListView,
  PriceView,
  Problem,
  PublishEvent,
  PutSchedule,
  PutTrigger,
  PutWebhook,
  RegistryChange,
  RegistryChanged,
  RegistryEntrySummary,
  RegistryEntryView,
  RegistryVersion,
  Replayed,
  Report,
  RestoreRegistry,
  Run,
  RunBudget,
  RunChunk,
  RunDiff,
  RunEvent,
  RunPreview,
  RunStatus,
  Schedule,
  Scope,
  SendSignal,
  SignalAccepted,
  Submission,
  SubmitRun,
  SubmitTemplate,
  Token,
  TopicEvent,
  TopicEventPage,
  Trigger,
  Usage,
  UsageBy,
  UsageItem,
  WaitingFor,
  Webhook,
  WebhookSecret,
  Workspace,
} from '@devflow/contracts'

/** A part of a list; `nextCursor`, passed as `cursor`, goes on with it. */
export interface Page<Item> {
  items: Item[]
  nextCursor?: string
}

/** Where a page begins, and how many items it has at most. */
export interface PageQuery {
  cursor?: string
  limit?: number
}

/** A piece of streamed model output among a run's events. */
export type ChunkItem = RunChunk & { type: 'chunk' }
/** What that turn has streamed before is void. */
export type ResetItem = ChunkReset & { type: 'chunk.reset' }
/** A row of a run's log, chunks included. */
export type LogItem = RunEvent | ChunkItem | ResetItem

/** All versions of a run's artifacts. */
export interface ArtifactPage {
  items: ArtifactView[]
}
