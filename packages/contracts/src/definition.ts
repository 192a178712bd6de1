import { z } from 'zod'
import { Budget, JsonSchema, Model, PHASE_KINDS, Phase } from './entries.ts'
import { EntryId, Name, Sha256 } from './ids.ts'

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
})
export type BoundPersona = z.infer<typeof BoundPersona>

/** A template with everything it names, resolved at submission; a run keeps it for life (I9). */
export const Definition = z.object({
  format: z.literal(DEFINITION_FORMAT),
  template: EntryId,
  title: z.string(),
  input: JsonSchema,
  roles: z.record(Name, BoundPersona),
  /** Artifact name → the schema it must satisfy. */
  artifacts: z.record(Name, z.object({ schema: EntryId, jsonSchema: JsonSchema })),
  budget: Budget.optional(),
  phases: z.array(Phase),
  output: z.json().optional(),
})
export type Definition = z.infer<typeof Definition>

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
