import { z } from 'zod'
import { GATE_STATUSES } from './choices.ts'
import { Principal, RunId, Sha256 } from './ids.ts'

export const GateStatus = z.enum(GATE_STATUSES)
export type GateStatus = z.infer<typeof GateStatus>

export const DecisionKind = z.enum(['approve', 'reject', 'request_changes'])
export type DecisionKind = z.infer<typeof DecisionKind>

/** An artifact version a gate asks about, by the name the run keeps it by: `note`, or `note[3]` of a map's item. */
export const SubjectItem = z.object({ artifact: z.string().min(1), sha256: Sha256 })
export type SubjectItem = z.infer<typeof SubjectItem>

export const GateDecision = z.object({
  actor: Principal,
  decision: DecisionKind,
  comment: z.string().nullable(),
  at: z.iso.datetime(),
})
export type GateDecision = z.infer<typeof GateDecision>

/** Who decides in whose place. */
export const GateDelegation = z.object({
  from: Principal,
  to: Principal,
  comment: z.string().nullable(),
  at: z.iso.datetime(),
})

export const Gate = z.object({
  runId: RunId,
  id: z.string(),
  phase: z.string(),
  status: GateStatus,
  title: z.string(),
  subject: z.array(SubjectItem),
  subjectHash: Sha256,
  quorum: z.int(),
  decisions: z.array(GateDecision),
  deadline: z.iso.datetime().optional(),
  escalation: z.json().optional(),
  allowChanges: z.string().optional().describe('the phase that requests for changes go back to'),
  round: z.int().optional().describe('how often the run has gone back from here'),
  maxRounds: z.int().optional(),
  delegations: z.array(GateDelegation).optional(),
  remindsAt: z.iso.datetime().optional(),
  openedAt: z.iso.datetime(),
  closedAt: z.iso.datetime().optional(),
})
export type Gate = z.infer<typeof Gate>
