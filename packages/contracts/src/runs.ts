import { z } from 'zod'
import { RunBudget } from './budgets.ts'
import { RUN_STATUSES } from './choices.ts'
import { ErrorRecord } from './errors.ts'
import { Principal, RunId, Sha256 } from './ids.ts'

export const RunStatus = z.enum(RUN_STATUSES)
export type RunStatus = z.infer<typeof RunStatus>

/** Statuses that a run leaves only by `retry`. */
export const OVER: readonly RunStatus[] = ['completed', 'failed', 'canceled']
export const isOver = (status: RunStatus): boolean => OVER.includes(status)

export const PHASE_STATUSES = [
  'pending',
  'running',
  'waiting',
  'completed',
  'failed',
  'skipped',
  'canceled',
  'compensated',
] as const
export const PhaseStatus = z.enum(PHASE_STATUSES)
export type PhaseStatus = z.infer<typeof PhaseStatus>

export const PhaseView = z.object({
  id: z.string(),
  kind: z.string(),
  status: PhaseStatus,
  attempt: z.int(),
  startedAt: z.iso.datetime().optional(),
  endedAt: z.iso.datetime().optional(),
  error: ErrorRecord.optional(),
  /** Taken over from the run this one was forked from. */
  reused: z.boolean().optional(),
})
export type PhaseView = z.infer<typeof PhaseView>

export const Usage = z.object({
  inputTokens: z.int(),
  outputTokens: z.int(),
  costMicroUsd: z.number(),
  unsettledMicroUsd: z.number(),
})
export type Usage = z.infer<typeof Usage>

export const WaitingFor = z.object({
  kind: z.enum(['gate', 'wait']),
  id: z.string(),
  since: z.iso.datetime(),
  deadline: z.iso.datetime().optional(),
})
export type WaitingFor = z.infer<typeof WaitingFor>

export const Workspace = z.strictObject({
  repo: z.string().min(1).max(4096),
  base: z
    .string()
    .min(1)
    .max(250)
    .regex(/^[^-\s][^\s]*$/, { error: 'expected a commit, branch or tag' })
    .optional(),
  exclusive: z.boolean().optional(),
  /** Commands, by argv, that make a clone ready: run once for its lockfiles, with network, before the first turn. */
  setup: z
    .array(z.array(z.string().min(1).max(4096)).min(1).max(100))
    .min(1)
    .max(20)
    .optional(),
})
export type Workspace = z.infer<typeof Workspace>

/** What was undone of a run that did not complete, and what could not be. */
export const RunCompensation = z.object({
  completed: z.int(),
  failed: z.int(),
  notUndone: z.array(z.object({ phase: z.string(), function: z.string(), error: ErrorRecord })),
})
export type RunCompensation = z.infer<typeof RunCompensation>

/** Why a run did not complete. */
export const RunError = ErrorRecord.extend({ compensation: RunCompensation.optional() })
export type RunError = z.infer<typeof RunError>

export const Labels = z.record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/), z.string().max(200))

export const Run = z.object({
  id: RunId,
  template: z.string(),
  definitionHash: Sha256,
  status: RunStatus,
  input: z.json(),
  labels: Labels,
  phases: z.array(PhaseView),
  usage: Usage,
  budget: RunBudget,
  output: z.json().optional(),
  error: RunError.optional(),
  actor: Principal,
  attempt: z.int(),
  parent: z.string().optional(),
  forkedFrom: z.string().optional(),
  workspace: Workspace.optional(),
  waitingFor: z.array(WaitingFor).optional(),
  latencyMs: z.number().optional(),
  createdAt: z.iso.datetime(),
  startedAt: z.iso.datetime().optional(),
  endedAt: z.iso.datetime().optional(),
  lastSeq: z.int(),
})
export type Run = z.infer<typeof Run>
