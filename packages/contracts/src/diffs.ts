import { z } from 'zod'
import { RunId, Sha256 } from './ids.ts'
import { PhaseStatus, Run, RunStatus } from './runs.ts'

/** A place in a value where two differ; the whole of it has the path ''. */
export const ValueChange = z.object({
  path: z.string(),
  change: z.enum(['added', 'removed', 'changed']),
  a: z.json().optional(),
  b: z.json().optional(),
})
export type ValueChange = z.infer<typeof ValueChange>

/** How two values differ; nothing where they do not. `more`: places that are not told. */
export const ValueDiff = z.object({ changes: z.array(ValueChange), more: z.int().optional() })
export type ValueDiff = z.infer<typeof ValueDiff>

const DiffedRun = z.object({
  id: RunId,
  template: z.string(),
  definitionHash: Sha256,
  status: RunStatus,
  forkedFrom: z.string().optional(),
  error: Run.shape.error,
  attempt: z.int(),
  inputTokens: z.int(),
  outputTokens: z.int(),
  costMicroUsd: z.number(),
  latencyMs: z.number().optional(),
  createdAt: z.iso.datetime(),
})
export type DiffedRun = z.infer<typeof DiffedRun>

/** A phase in one of the runs. */
const DiffedPhase = z.object({
  status: PhaseStatus,
  attempts: z.int(),
  /** Taken over from another run. */
  reused: z.boolean().optional(),
  inputTokens: z.int(),
  outputTokens: z.int(),
  costMicroUsd: z.number(),
  /** Of its last attempt. */
  latencyMs: z.number().optional(),
})
export type DiffedPhase = z.infer<typeof DiffedPhase>

const DiffedArtifact = z.object({
  version: z.int(),
  sha256: Sha256,
  mediaType: z.string(),
  bytes: z.int(),
})

export const ArtifactDiff = z.object({
  name: z.string(),
  change: z.enum(['same', 'added', 'removed', 'changed']),
  a: DiffedArtifact.optional(),
  b: DiffedArtifact.optional(),
  /** Of JSON that changed. */
  changes: z.array(ValueChange).optional(),
  more: z.int().optional(),
  /** Of text that changed: a unified diff. */
  text: z.string().optional(),
  /** Why neither is told: it is too large, or neither JSON nor text. */
  omitted: z.enum(['too_large', 'binary']).optional(),
})
export type ArtifactDiff = z.infer<typeof ArtifactDiff>

/** What differs between two runs, `a` and `b`. */
export const RunDiff = z.object({
  /** The same definition, input and artifacts, and the same end. */
  same: z.boolean(),
  a: DiffedRun,
  b: DiffedRun,
  input: ValueDiff,
  /** Roles that other personas play, and other parts of the definition that differ. */
  definition: z.object({
    bindings: z.array(z.object({ role: z.string(), a: z.string().optional(), b: z.string().optional() })),
    parts: z.array(z.string()),
  }),
  phases: z.array(
    z.object({ id: z.string(), kind: z.string(), a: DiffedPhase.optional(), b: DiffedPhase.optional() }),
  ),
  artifacts: z.array(ArtifactDiff),
  output: ValueDiff,
})
export type RunDiff = z.infer<typeof RunDiff>
