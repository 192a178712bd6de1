// What people choose from on command lines: apart from the schemas, as zod takes longer to load than most commands to run.

export const RUN_STATUSES = [
  'queued',
  'running',
  'waiting',
  'paused',
  'completed',
  'failed',
  'canceled',
] as const

export const GATE_STATUSES = ['open', 'approved', 'rejected', 'expired', 'canceled'] as const

export const DELIVERY_STATUSES = ['pending', 'delivered', 'dead'] as const

export const ENTRY_KINDS = ['template', 'persona', 'schema', 'function'] as const

export const PROVIDERS = [
  'openrouter',
  'openai',
  'anthropic',
  'google',
  'ollama',
  'openai-compatible',
  'offline',
  'scripted',
  'terminal',
] as const

/** `run`: what a run has that says nothing itself. The others are shared, by the UTC day: by all, a persona's, a tenant's. */
export const BUDGET_SCOPES = ['run', 'day', 'persona-day', 'tenant-day'] as const

export const BUDGET_POLICIES = ['block', 'warn_continue', 'prompt'] as const

export const USAGE_BY = ['model', 'persona', 'day', 'template', 'run', 'label'] as const

export const OVERLAPS = ['skip', 'buffer_one', 'buffer_all', 'cancel_other', 'allow_all'] as const

/** What a caller may do; `admin` holds whatever the others do not name. */
export const SCOPES = [
  'runs:read',
  'runs:write',
  'gates:decide',
  'registry:read',
  'registry:write',
  'budgets:write',
  'tokens:write',
  'admin',
] as const
