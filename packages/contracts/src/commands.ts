import { z } from 'zod'
import { Budget } from './entries.ts'
import { DecisionKind } from './gates.ts'
import { EntryId, Name, Principal, RunId } from './ids.ts'
import { MicroUsd } from './money.ts'
import { Labels, Workspace } from './runs.ts'

/** Body of `POST /v1/runs`. */
export const SubmitRun = z.strictObject({
  template: EntryId,
  input: z.json().optional(),
  bindings: z.record(Name, EntryId).optional(),
  budget: Budget.optional(),
  workspace: Workspace.optional(),
  labels: Labels.optional(),
  parent: RunId.optional(),
})
export type SubmitRun = z.infer<typeof SubmitRun>

/** Body of cancel, pause, resume and retry. */
export const ControlRun = z.strictObject({ reason: z.string().max(2000).optional() })
export type ControlRun = z.infer<typeof ControlRun>

/** Body of `POST /v1/runs/{id}/fork`. */
export const ForkRun = z.strictObject({
  fromPhase: z.string().min(1).max(200),
  input: z.json().optional(),
  bindings: z.record(Name, EntryId).optional(),
})
export type ForkRun = z.infer<typeof ForkRun>

/** Body of a gate decision. */
export const DecideGate = z.strictObject({
  decision: DecisionKind,
  comment: z.string().max(20_000).optional(),
  /** Any text: what is not the hash of the gate's subject is stale, whatever it looks like. */
  subjectHash: z.string().max(200).optional(),
  raiseToMicroUsd: MicroUsd.optional(),
})
export type DecideGate = z.infer<typeof DecideGate>

/** Body of `POST /v1/runs/{id}/gates/{gate}/delegations`. */
export const DelegateGate = z.strictObject({
  to: Principal,
  comment: z.string().max(20_000).optional(),
})
export type DelegateGate = z.infer<typeof DelegateGate>

/** Body of `POST /v1/runs/{id}/signals/{name}`. */
export const SendSignal = z.strictObject({
  data: z.json().optional(),
  id: z.string().min(1).max(255).optional(),
})
export type SendSignal = z.infer<typeof SendSignal>
