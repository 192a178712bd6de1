import { z } from 'zod'
import { BUDGET_POLICIES, PROVIDERS } from './choices.ts'
import { durationMs, IsoDuration } from './duration.ts'
import { FunctionFields } from './function-entry.ts'
import { EntryId, Name } from './ids.ts'
import { ContextWindow, MicroUsd, ModelPricing } from './money.ts'
import { TemplateArtifact } from './template-artifact.ts'
import { TopicPattern } from './topics.ts'

/** A JSON Schema 2020-12 document; checked by ajv when a definition is compiled. */
export const JsonSchema = z.record(z.string(), z.json())
export type JsonSchema = z.infer<typeof JsonSchema>

export const BudgetPolicy = z.enum(BUDGET_POLICIES)
export type BudgetPolicy = z.infer<typeof BudgetPolicy>
export const Budget = z.strictObject({
  limitMicroUsd: MicroUsd.optional(),
  limitTokens: z.int().positive().optional(),
  onExceeded: BudgetPolicy.optional(),
  /** Calls of models nobody knows the price of are let through a limit in money. */
  allowUnpriced: z.boolean().optional(),
})
export type Budget = z.infer<typeof Budget>

export const Approver = z
  .string()
  .regex(/^(owner|role:.+|principal:.+)$/, { error: 'expected owner, role:<role> or principal:<principal>' })

/** The tools a persona may have and a phase may name. */
export const TOOLS = [
  'read_file',
  'list_dir',
  'search_files',
  'write_file',
  'edit_file',
  'run_command',
  'request_subagent',
  'complete',
] as const
export const Tool = z.enum(TOOLS, { error: `unknown tool: expected one of ${TOOLS.join(', ')}` })
export type Tool = z.infer<typeof Tool>

/** Tool → how often a session may call it; the names of servers' tools are `<server>__<tool>`. */
const ToolQuotas = z.record(
  z.union([
    Tool,
    z.string().regex(/^[a-z][a-z0-9-]*__.+$/, { error: 'expected a tool or <server>__<tool>' }),
  ]),
  z.int().nonnegative().max(1_000_000),
)

export const AgentPhase = z.strictObject({
  role: Name,
  prompt: z.string().min(1).max(100_000),
  tools: z.array(Tool).optional(),
  /** The persona's servers whose tools it may use; default: all. */
  mcp: z.array(z.string()).optional(),
  /** Narrows the persona's. */
  toolQuotas: ToolQuotas.optional(),
  inputs: z.array(Name).optional(),
  produces: Name.optional(),
})
export type AgentPhase = z.infer<typeof AgentPhase>

/** A step of an escalation: who may decide as well, and how long until the next step, or the end. */
const EscalationStep = z.strictObject({ to: z.array(Approver).min(1), after: IsoDuration.optional() })

export const OnDeadline = z.strictObject({
  /** One step, or several in a list. */
  escalateTo: z.union([z.array(Approver), z.array(EscalationStep).max(20)]).optional(),
  /** How long a step takes that does not say. */
  after: IsoDuration.optional(),
  then: z.enum(['approve', 'reject', 'fail']),
})

export const GatePhase = z.strictObject({
  title: z.string().min(1).max(500),
  subject: z.array(Name).optional(),
  approvers: z.array(Approver).min(1).optional(),
  quorum: z.int().min(1).max(100).optional(),
  rejectQuorum: z.int().min(1).max(100).optional(),
  requireSubjectHash: z.boolean().optional(),
  notAuthors: z.boolean().optional(),
  allowChanges: Name.optional(),
  deadline: IsoDuration.optional(),
  onDeadline: OnDeadline.optional(),
  onReject: z.union([z.enum(['fail', 'end']), z.strictObject({ goto: Name })]).optional(),
  /** How often the run may go back from here; 10 unless told. */
  maxRounds: z.int().min(1).max(100).optional(),
  remindEvery: IsoDuration.refine((text) => durationMs(text) >= 1_000, {
    error: 'expected at least PT1S',
  }).optional(),
})
export type GatePhase = z.infer<typeof GatePhase>

export const WaitPhase = z.union([
  z.strictObject({ for: IsoDuration }),
  z.strictObject({ until: z.string().min(1) }),
  z.strictObject({ signal: z.string().min(1).max(200) }),
  z.strictObject({ event: TopicPattern, match: z.string().min(1).max(4_000).optional() }),
])
export type WaitPhase = z.infer<typeof WaitPhase>

export const Retry = z.strictObject({
  maxAttempts: z.int().min(1).max(100),
  backoff: IsoDuration.optional(),
})
export type Retry = z.infer<typeof Retry>

/** A call of a function: `input` may hold expressions; without it `{}`. */
export const FunctionCall = z.strictObject({ function: EntryId, input: z.json().optional() })
export type FunctionCall = z.infer<typeof FunctionCall>

/** What any phase may say beside its kind's key. */
export const PhaseCommon = {
  id: Name,
  title: z.string().max(500).optional(),
  when: z.union([z.string().min(1), z.boolean()]).optional(),
  retry: Retry.optional(),
  timeout: IsoDuration.optional(),
  onError: z.enum(['fail', 'continue']).optional(),
  /** What undoes it when it is done and the run fails later, or is canceled. */
  compensate: FunctionCall.optional(),
}

/** Every kind the format knows; those missing in `PHASE_KINDS` are refused by name until they run. */
export const FORMAT_PHASE_KINDS = [
  'agent',
  'function',
  'gate',
  'wait',
  'parallel',
  'map',
  'cycle',
  'workflow',
] as const

/** The kinds this build runs. */
export const PHASE_KINDS = [
  'agent',
  'function',
  'gate',
  'wait',
  'parallel',
  'map',
  'cycle',
  'workflow',
] as const
export type PhaseKind = (typeof PHASE_KINDS)[number]

/** A list of phases, one after the other, inside another phase. */
const Sequence = z.lazy(() => z.array(Phase).min(1).max(100))

/** Branches side by side. `continue`: what fails in one branch leaves the others, and the phase, alone. */
export const ParallelPhase = z.strictObject({
  branches: z.array(Sequence).min(1).max(100),
  onError: z.enum(['fail', 'continue']).optional(),
})

/** The same phases for each item of a list, at most `concurrency` items at a time (10 unless told). */
export const MapPhase = z.strictObject({
  over: z.union([z.string().min(1), z.array(z.json())]),
  as: Name.optional(),
  concurrency: z.int().min(1).max(100).optional(),
  phases: Sequence,
})

/** The same phases again and again, until a condition holds after them, at most `max` times (100 unless told). */
export const CyclePhase = z.strictObject({
  phases: Sequence,
  until: z.union([z.string().min(1), z.boolean()]).optional(),
  max: z.int().min(1).max(1_000_000).optional(),
})

/** A call of a function; `input` may hold expressions, and without it is `{}`. */
export const FunctionPhase = z.strictObject({ name: EntryId, input: z.json().optional() })
export type FunctionPhase = z.infer<typeof FunctionPhase>

/** Another template as a run of its own. */
export const WorkflowPhase = z.strictObject({ template: EntryId, input: z.json().optional() })
export type WorkflowPhase = z.infer<typeof WorkflowPhase>

const AgentStep = z.strictObject({ ...PhaseCommon, agent: AgentPhase })
const FunctionStep = z.strictObject({ ...PhaseCommon, function: FunctionPhase })
const GateStep = z.strictObject({ ...PhaseCommon, gate: GatePhase })
const WaitStep = z.strictObject({ ...PhaseCommon, wait: WaitPhase })
const WorkflowStep = z.strictObject({ ...PhaseCommon, workflow: WorkflowPhase })
type Common = Omit<z.infer<typeof AgentStep>, 'agent'>

export interface ParallelPhase {
  branches: Phase[][]
  onError?: 'fail' | 'continue' | undefined
}
export interface MapPhase {
  over: string | z.infer<ReturnType<typeof z.json>>[]
  as?: string | undefined
  concurrency?: number | undefined
  phases: Phase[]
}
export interface CyclePhase {
  phases: Phase[]
  until?: string | boolean | undefined
  max?: number | undefined
}

export type Phase =
  | z.infer<typeof AgentStep>
  | z.infer<typeof FunctionStep>
  | z.infer<typeof GateStep>
  | z.infer<typeof WaitStep>
  | z.infer<typeof WorkflowStep>
  | (Common & { parallel: ParallelPhase })
  | (Common & { map: MapPhase })
  | (Common & { cycle: CyclePhase })

export const Phase: z.ZodType<Phase> = z.union([
  AgentStep,
  FunctionStep,
  GateStep,
  WaitStep,
  WorkflowStep,
  z.strictObject({ ...PhaseCommon, parallel: ParallelPhase }),
  z.strictObject({ ...PhaseCommon, map: MapPhase }),
  z.strictObject({ ...PhaseCommon, cycle: CyclePhase }),
])

/** The kind of a phase: the one key that says what it does. */
export function kindOf(phase: Phase): PhaseKind {
  const kind = PHASE_KINDS.find((known) => known in phase)
  if (kind === undefined) throw new Error(`phase ${phase.id} has no kind`)
  return kind
}

export const Role = z.strictObject({
  capabilities: z.array(z.string()).optional(),
  persona: EntryId.optional(),
  differentVendorFrom: Name.optional(),
})
export type Role = z.infer<typeof Role>

const Meta = z.record(z.string(), z.string())

export const TemplateEntry = z.strictObject({
  kind: z.literal('template'),
  id: EntryId,
  title: z.string().max(500).optional(),
  description: z.string().optional(),
  meta: Meta.optional(),
  input: JsonSchema.optional(),
  roles: z.record(Name, Role).optional(),
  artifacts: z.record(Name, TemplateArtifact).optional(),
  budget: Budget.optional(),
  phases: z.array(Phase).min(1).max(500),
  output: z.json().optional(),
})
export type TemplateEntry = z.infer<typeof TemplateEntry>

export const Provider = z.enum(PROVIDERS)
export type Provider = z.infer<typeof Provider>

export const Model = z.strictObject({
  provider: Provider,
  name: z.string().min(1).max(200),
  vendor: z.string().optional(),
  /** Provider `openai-compatible`: the operator's name for a server; absent, the default one. */
  endpoint: z
    .string()
    .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'expected a name in kebab-case, never an address')
    .max(64)
    .optional(),
  fallbacks: z.array(z.string()).optional(),
  temperature: z.number().min(0).max(2).optional(),
  maxOutputTokens: z.int().positive().optional(),
  maxTurns: z.int().positive().max(10_000).optional(),
  maxTokensTotal: z.int().positive().optional(),
  /** Tokens that a request and its answer may have together; default: what is known of the model, else 128,000. */
  contextWindow: ContextWindow.optional(),
  /** Share of the context window from which on older turns are summarised; default 0.7. */
  compactAt: z.number().min(0.1).max(0.95).optional(),
  toolQuotas: ToolQuotas.optional(),
  /** Micro-dollars per token, when the provider's price list is not to be used. */
  pricing: ModelPricing.optional(),
  /** Provider `scripted`: the fixture, a path beside the entry or the fixture itself. */
  script: z.json().optional(),
})
export type Model = z.infer<typeof Model>

/** Of a tool's name as models see it, `<server>__<tool>`: what all providers take. */
const LONGEST_TOOL_NAME = 64

/**
 * A server of tools that speaks the Model Context Protocol: a command that runs in the sandbox, an address, or neither:
 * the one that the operator has configured under this name. Of its tools only those named here are used.
 */
export const McpServer = z
  .strictObject({
    name: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, { error: 'expected lower-case letters, digits and -' }),
    command: z.array(z.string().min(1)).min(1).max(100).optional(),
    url: z.url({ protocol: /^https?$/, error: 'expected an http or https address' }).optional(),
    tools: z
      .array(z.string().regex(/^[A-Za-z0-9_-]+$/, { error: 'expected letters, digits, _ and -' }))
      .min(1)
      .max(200),
    /** Of one call. */
    timeout: IsoDuration.optional(),
  })
  .refine(({ command, url }) => command === undefined || url === undefined, {
    error: 'expected a command or a url, not both',
  })
  .refine(({ name, tools }) => tools.every((tool) => name.length + 2 + tool.length <= LONGEST_TOOL_NAME), {
    error: `the names of a server and its tool have at most ${LONGEST_TOOL_NAME - 2} characters together`,
    path: ['tools'],
  })
export type McpServer = z.infer<typeof McpServer>

/** What the agents may be and do together that a session asks for help. */
export const SubagentLimits = z.strictObject({
  /** How deep they may ask others in turn: 1 lets none of them ask; default 2. */
  depth: z.int().min(1).max(5).optional(),
  /** How many one session may ask; default 16. */
  count: z.int().positive().max(1_000).optional(),
  /** How many work at once; default 4. */
  parallel: z.int().positive().max(32).optional(),
  /** Share of what is left of the run's budget that those asked in one turn may spend together; default 0.5. */
  budgetShare: z.number().positive().max(1).optional(),
})
export type SubagentLimits = z.infer<typeof SubagentLimits>

export const PersonaEntry = z.strictObject({
  kind: z.literal('persona'),
  id: EntryId,
  title: z.string().max(500).optional(),
  description: z.string().optional(),
  meta: Meta.optional(),
  capabilities: z.array(z.string()).optional(),
  model: Model,
  instructions: z.string().max(200_000).optional(),
  tools: z.array(Tool).optional(),
  commands: z.array(z.string()).optional(),
  mcp: z
    .array(McpServer)
    .max(16)
    .refine((servers) => new Set(servers.map(({ name }) => name)).size === servers.length, {
      error: 'two servers have the same name',
    })
    .optional(),
  /** Personas that it may ask for help by `request_subagent`; default: those of the template's roles. */
  subagents: z.array(EntryId).min(1).max(32).optional(),
  subagentLimits: SubagentLimits.optional(),
})
export type PersonaEntry = z.infer<typeof PersonaEntry>

export const SchemaEntry = z.strictObject({
  kind: z.literal('schema'),
  id: EntryId,
  title: z.string().max(500).optional(),
  description: z.string().optional(),
  meta: Meta.optional(),
  schema: JsonSchema,
})
export type SchemaEntry = z.infer<typeof SchemaEntry>

export const FunctionEntry = z.strictObject({
  kind: z.literal('function'),
  title: z.string().max(500).optional(),
  description: z.string().optional(),
  meta: Meta.optional(),
  ...FunctionFields,
  input: JsonSchema.optional(),
  output: JsonSchema.optional(),
})
export type FunctionEntry = z.infer<typeof FunctionEntry>

export const Entry = z.discriminatedUnion('kind', [TemplateEntry, PersonaEntry, SchemaEntry, FunctionEntry])
export type Entry = z.infer<typeof Entry>
