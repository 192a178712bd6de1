import { z } from 'zod'
import { Budget, JsonSchema, McpServer, Model, PHASE_KINDS, Phase, SubagentLimits } from './entries.ts'
import { EntryId, Name, Sha256 } from './ids.ts'
import { TEXT_KINDS } from './template-artifact.ts'

/** The format this build writes; readers read all older ones. */
export const DEFINITION_FORMAT = 1

/** A persona as frozen into a definition; `hash` is its identity. */
export const BoundPersona = z.object({
  id: EntryId,
  hash: Sha256,
  title: z.string().optional(),
  vendor: z.string(),
  model: Model,
  instructions: z.string(),
  tools: z.array(z.string()),
  commands: z.array(z.string()),
  mcp: z.array(McpServer).optional(),
  /** Ids of personas it may ask for help: keys of the definition's `subagents`. */
  subagents: z.array(EntryId).optional(),
  subagentLimits: SubagentLimits.optional(),
})
export type BoundPersona = z.infer<typeof BoundPersona>

/** `jsonSchema` is that of the artifact's value: of a text kind it is a string. */
export const DefinedArtifact = z.object({
  schema: EntryId.optional(),
  jsonSchema: JsonSchema,
  kind: z.enum(TEXT_KINDS).optional(),
  path: z.string().optional(),
})
export type DefinedArtifact = z.infer<typeof DefinedArtifact>

/** A function as frozen into a definition: with its source, so that a run keeps the code it was submitted with (I9). */
export const BoundFunction = z.object({
  id: EntryId,
  hash: Sha256,
  source: z.string(),
  input: JsonSchema,
  output: JsonSchema,
  timeoutMs: z.number(),
  effects: z.enum(['none', 'external']),
  permissions: z.object({
    net: z.array(z.string()),
    env: z.array(z.string()),
    read: z.array(z.string()),
    write: z.array(z.string()),
  }),
})
export type BoundFunction = z.infer<typeof BoundFunction>

/** A template with everything it names, resolved at submission; a run keeps it for life (I9). */
const DefinitionFields = z.object({
  format: z.literal(DEFINITION_FORMAT),
  template: EntryId,
  title: z.string(),
  input: JsonSchema,
  roles: z.record(Name, BoundPersona),
  /** By id, those that personas name to ask for help, directly or through others. */
  subagents: z.record(EntryId, BoundPersona).optional(),
  /** Artifact name → the schema it must satisfy. */
  artifacts: z.record(Name, DefinedArtifact),
  budget: Budget.optional(),
  /** What phases call, by the name they write. */
  functions: z.record(z.string(), BoundFunction).optional(),
  phases: z.array(Phase),
  output: z.json().optional(),
})
/** The template of a workflow phase, resolved with that of the run it is in; as whole as any other. */
export interface ChildDefinition {
  hash: string
  /** Role → persona. */
  bindings: Record<string, string>
  definition: Definition
}
/** `children`: what workflow phases start, by the template's name as they write it. */
export type Definition = z.infer<typeof DefinitionFields> & {
  children?: Record<string, ChildDefinition> | undefined
}
export const Definition: z.ZodType<Definition> = DefinitionFields.extend({
  children: z
    .record(
      z.string(),
      z.object({
        hash: Sha256,
        bindings: z.record(z.string(), z.string()),
        definition: z.lazy(() => Definition),
      }),
    )
    .optional(),
})

/** What a workflow knows of a definition (I4): no prompts, schemas or expressions. */
export const PLAN_FORMAT = 1
const PlanLeaf = z.object({
  id: z.string(),
  kind: z.enum(PHASE_KINDS),
  persona: z.string().optional(),
  /** A failed step does not end the run. */
  continues: z.boolean().optional(),
  timeoutMs: z.number().optional(),
  /** Of the phase's `retry`; without it one attempt. */
  maxAttempts: z.int().optional(),
  backoffMs: z.number().optional(),
})
/** `inside`: the branches of a parallel phase, the one list of a map or cycle. */
export type PlanStep = z.infer<typeof PlanLeaf> & { inside?: PlanStep[][] | undefined }
export const PlanStep: z.ZodType<PlanStep> = PlanLeaf.extend({
  inside: z.array(z.array(z.lazy(() => PlanStep))).optional(),
})
export const Plan = z.object({
  format: z.literal(PLAN_FORMAT),
  template: z.string(),
  title: z.string(),
  steps: z.array(PlanStep),
})
export type Plan = z.infer<typeof Plan>
