import { z } from 'zod'
import { Name, Principal, RunId, Sha256 } from './ids.ts'

export const GateStatus = z.enum(['open', 'approved', 'rejected', 'expired', 'canceled'])
export type GateStatus = z.infer<typeof GateStatus>

export const DecisionKind = z.enum(['approve', 'reject', 'request_changes'])
export type DecisionKind = z.infer<typeof DecisionKind>

/** An artifact version a gate asks about. */
export const SubjectItem = z.object({ artifact: Name, sha256: Sha256 })
export type SubjectItem = z.infer<typeof SubjectItem>

export const GateDecision = z.object({
  actor: Principal,
  decision: DecisionKind,
  comment: z.string().nullable(),
  at: z.iso.datetime(),
})
export type GateDecision = z.infer<typeof GateDecision>

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
  openedAt: z.iso.datetime(),
  closedAt: z.iso.datetime().optional(),
})
export type Gate = z.infer<typeof Gate>
