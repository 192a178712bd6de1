import type {
  ArtifactView,
  AuditItem,
  BudgetSetting,
  BudgetView,
  Call,
  Delivery,
  Gate,
  NewToken,
  PhaseView,
  Run,
  RunEvent,
  RunPreview,
  Schedule,
  Token,
  TopicEvent,
  Trigger,
  UsageItem,
  Webhook,
} from '@devflow/contracts'

/** What the OpenAPI document shows: one run of `spec-and-review@1`, from all sides. */
export const RUN_ID = '01a1fd23-2e03-7aac-8dc6-349111f7edd2'
export const SPEC = '3495924f4b34799102a1f929bf51b4f4d73bcf09006868677012e01262faa3ce'
const SUBJECT = '8931adfcbfc34e2bfe92808bf4e2af67ed983f79f9cacb26d183e754a47804f2'
const DEFINITION = 'feab9c95a73cae9fd9085c4e37b59b2c0c6efe619ac9fb82d9d101c6bb604025'
const OPENED = '2026-11-21T08:05:04.776Z'

export const PHASE: PhaseView = {
  id: 'spec',
  kind: 'agent',
  status: 'completed',
  attempt: 1,
  startedAt: '2026-11-21T08:05:04.089Z',
  endedAt: '2026-11-21T08:05:04.475Z',
}

export const RUN: Run = {
  id: RUN_ID,
  template: 'spec-and-review@1',
  definitionHash: DEFINITION,
  status: 'waiting',
  input: { request: 'Describe the migrations' },
  labels: { team: 'web' },
  phases: [PHASE, { id: 'approve', kind: 'gate', status: 'waiting', attempt: 1, startedAt: OPENED }],
  usage: { inputTokens: 24364, outputTokens: 1846, costMicroUsd: 4812.51, unsettledMicroUsd: 0 },
  budget: {
    limitMicroUsd: 500000,
    onExceeded: 'prompt',
    spentMicroUsd: 4812.51,
    reservedMicroUsd: 0,
    spentTokens: 26210,
    reservedTokens: 0,
  },
  actor: 'owner',
  attempt: 1,
  waitingFor: [{ kind: 'gate', id: 'approve', since: OPENED, deadline: '2026-11-24T08:05:04.776Z' }],
  createdAt: '2026-11-21T08:05:03.623Z',
  startedAt: '2026-11-21T08:05:03.815Z',
  lastSeq: 248,
}

/** A run that was submitted a moment ago. */
export const QUEUED: Run = {
  id: RUN_ID,
  template: RUN.template,
  definitionHash: DEFINITION,
  status: 'queued',
  input: RUN.input,
  labels: RUN.labels,
  phases: [
    { id: 'spec', kind: 'agent', status: 'pending', attempt: 1 },
    { id: 'approve', kind: 'gate', status: 'pending', attempt: 1 },
  ],
  usage: { inputTokens: 0, outputTokens: 0, costMicroUsd: 0, unsettledMicroUsd: 0 },
  budget: { ...RUN.budget, spentMicroUsd: 0, spentTokens: 0 },
  actor: 'owner',
  attempt: 1,
  createdAt: RUN.createdAt,
  lastSeq: 1,
}

export const PREVIEW: RunPreview = {
  definitionHash: DEFINITION,
  bindings: { 'spec-writer': 'openrouter-claude-spec-writer@1' },
  phases: [
    {
      id: 'spec',
      kind: 'agent',
      persona: 'openrouter-claude-spec-writer@1',
      model: 'anthropic/claude-sonnet-4.5',
      estimate: { tokens: 31200, microUsd: { low: 3110.4, high: 61500 }, runs: 12 },
    },
    { id: 'approve', kind: 'gate', estimate: { tokens: 0, microUsd: { low: 0, high: 0 } } },
  ],
  total: { tokens: 31200, microUsd: { low: 3110.4, high: 61500 } },
  budget: { limitMicroUsd: 2500, onExceeded: 'prompt' },
  warnings: [
    {
      code: 'budget_below_estimate',
      message: "The run's budget of 2500 micro-dollars is less than it needs at least, 3110.4.",
      blocks: true,
    },
  ],
}

export const EVENT: RunEvent = {
  runId: RUN_ID,
  seq: 247,
  type: 'gate.opened',
  at: OPENED,
  phase: 'approve',
  attempt: 1,
  key: 'approve/1/opened',
  data: { gate: 'approve', title: 'Approve the spec?', subjectHash: SUBJECT, quorum: 1 },
}

/** What the stream of a run looks like. */
export const RUN_STREAM = `: cursor=246

id: 247
event: gate.opened
data: ${JSON.stringify(EVENT)}

event: end
data: {"status":"completed","lastSeq":328}

`

/** What the stream over many runs looks like. */
export const POKES = `id: eyJzZXEiOjI0OH0
event: run
data: {"runId":"${RUN_ID}","status":"waiting","lastSeq":248}

`

export const GATE: Gate = {
  runId: RUN_ID,
  id: 'approve',
  phase: 'approve',
  status: 'open',
  title: 'Approve the spec?',
  subject: [{ artifact: 'spec', sha256: SPEC }],
  subjectHash: SUBJECT,
  quorum: 1,
  decisions: [],
  deadline: '2026-11-24T08:05:04.776Z',
  escalation: { escalateTo: ['owner'], after: 'P1D', then: 'reject' },
  openedAt: OPENED,
}

/** The same gate once it is decided. */
export const APPROVED: Gate = {
  ...GATE,
  status: 'approved',
  decisions: [
    { actor: 'owner', decision: 'approve', comment: 'Clear enough', at: '2026-11-21T08:07:40.101Z' },
  ],
  closedAt: '2026-11-21T08:07:40.140Z',
}

/** The same gate, which somebody else decides. */
export const DELEGATED: Gate = {
  ...GATE,
  delegations: [
    { from: 'owner', to: 'bob', comment: 'I am away until Monday', at: '2026-11-21T08:06:12.200Z' },
  ],
}

export const DECISION = { decision: 'approve', comment: 'Clear enough', subjectHash: SUBJECT }

export const ARTIFACT: ArtifactView = {
  name: 'spec',
  version: 1,
  sha256: SPEC,
  mediaType: 'application/json',
  bytes: 1830,
  phase: 'spec',
  attempt: 1,
  at: '2026-11-21T08:05:04.470Z',
}

export const CALL: Call = {
  id: '01a1fd23-31f2-7c11-9b0d-0e3a51f7a7c9',
  phase: 'spec',
  attempt: 1,
  turn: 1,
  persona: 'spec-writer@1',
  provider: 'openrouter',
  model: 'anthropic/claude-sonnet-4.5',
  modelUsed: 'anthropic/claude-sonnet-4.5',
  status: 'settled',
  reservedMicroUsd: 61500,
  costMicroUsd: 4812.51,
  costSource: 'provider',
  inputTokens: 24364,
  outputTokens: 1846,
  generationId: 'gen-1763712304-k2J9',
  latencyMs: 386,
  at: '2026-11-21T08:05:04.089Z',
}

export const TOOL_CALL: AuditItem = {
  seq: 12,
  tool: 'read_file',
  args: { path: 'migrations/0001_log.sql' },
  decision: 'allowed',
  phase: 'spec',
  attempt: 1,
  turn: 1,
  bytes: 20914,
  at: '2026-11-21T08:05:04.210Z',
}

export const USAGE: UsageItem = {
  key: 'anthropic/claude-sonnet-4.5',
  provider: 'openrouter',
  calls: 12,
  inputTokens: 292368,
  outputTokens: 22152,
  cachedTokens: 180224,
  reasoningTokens: 0,
  costMicroUsd: 57750.12,
  unsettledMicroUsd: 0,
}

export const TOPIC_EVENT: TopicEvent = {
  seq: 418,
  topic: 'orders.paid',
  id: 'order-17',
  data: { order: 17 },
  actor: 'owner',
  at: '2026-11-21T08:05:04.210Z',
}

export const TRIGGER: Trigger = {
  id: 'large-orders',
  topic: 'orders.paid',
  match: `\${{ event.data.total > 100 }}`,
  submit: { template: 'shop/check-order@1', input: { order: `\${{ event.data.order }}` } },
  enabled: true,
  actor: 'owner',
  updatedAt: '2026-11-21T08:05:04.210Z',
  last: { status: 'submitted', runId: RUN_ID, at: '2026-11-21T08:06:00.101Z' },
}

export const SCHEDULE: Schedule = {
  id: 'weekday-review',
  spec: { cron: ['0 9 * * MON-FRI'], timeZone: 'Europe/Berlin' },
  submit: { template: 'shop/review-orders@1', input: { day: `\${{ schedule.at }}` } },
  overlap: 'skip',
  catchUp: 'P1D',
  paused: false,
  next: ['2026-11-23T08:00:00.000Z', '2026-11-24T08:00:00.000Z'],
  last: [{ status: 'submitted', runId: RUN_ID, at: '2026-11-20T08:00:00.000Z' }],
  mirrored: true,
  actor: 'owner',
  updatedAt: '2026-11-19T08:05:04.210Z',
}

export const BUDGET: BudgetView = {
  scope: 'tenant-day',
  limitMicroUsd: 20000000,
  onExceeded: 'block',
  today: [
    {
      day: '2026-11-21',
      spentMicroUsd: 4812.51,
      reservedMicroUsd: 7290,
      spentTokens: 26210,
      reservedTokens: 9800,
    },
  ],
}

export const BUDGET_SETTINGS: BudgetSetting[] = [
  { scope: 'tenant-day', limitMicroUsd: 20000000, onExceeded: 'block' },
  {
    scope: 'persona-day',
    persona: 'openrouter-deepseek-spec-writer',
    limitMicroUsd: 5000000,
    onExceeded: 'prompt',
  },
  { scope: 'run', limitMicroUsd: 500000, onExceeded: 'prompt' },
]

export const WEBHOOK: Webhook = {
  id: 'chat',
  url: 'https://chat.example.com/devflow',
  events: ['run.completed', 'run.failed', 'gate.opened'],
  labels: {},
  enabled: true,
  actor: 'owner',
  updatedAt: '2026-11-21T08:05:04.210Z',
  pending: 0,
  dead: 0,
}

export const TOKEN: Token = {
  id: '01985f2e-9c4e-7a10-b3d1-0a2b3c4d5e6f',
  name: 'Ann',
  scopes: ['runs:read', 'gates:decide'],
  principal: 'ann',
  roles: ['lead'],
  tenant: 'default',
  actor: 'owner',
  createdAt: '2026-11-21T08:05:04.210Z',
  expiresAt: '2026-12-21T08:05:04.210Z',
}

export const NEW_TOKEN = {
  ...TOKEN,
  token: 'dfl_ThisOneIsAnExampleAndOpensNothingAtAll00000',
} satisfies NewToken

export const DELIVERY: Delivery = {
  id: 'msg_1204',
  runId: RUN_ID,
  seq: 331,
  type: 'run.completed',
  status: 'delivered',
  attempts: 1,
  answered: 204,
  createdAt: '2026-11-21T08:06:00.101Z',
  endedAt: '2026-11-21T08:06:00.184Z',
}
