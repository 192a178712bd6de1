import { DevflowError } from '@devflow/contracts'
import type { DecisionAnswer } from './decide-gate.ts'

/** Why a decision was not taken, for whoever made it; undefined when it was. One table for HTTP and Temporal. */
export function decisionRefusal(answer: DecisionAnswer, gate: string): DevflowError | undefined {
  switch (answer) {
    case 'accepted':
    case 'repeated':
      return undefined
    case 'unknown_gate':
      return new DevflowError(
        'NOT_FOUND',
        'gate_not_found',
        `This run has no gate ${gate}, or has not opened it yet.`,
      )
    case 'not_approver':
      return new DevflowError(
        'PERMISSION_DENIED',
        'not_an_approver',
        `You are not among the approvers of gate ${gate}.`,
      )
    case 'closed':
      return new DevflowError(
        'CONFLICT',
        'gate_closed',
        `Gate ${gate} is closed: your decision came too late.`,
      )
    case 'decided_otherwise':
      return new DevflowError(
        'CONFLICT',
        'already_decided',
        `You have decided gate ${gate} otherwise before; a decision stands.`,
      )
    case 'changes_not_allowed':
      return new DevflowError(
        'INVALID',
        'changes_not_allowed',
        `Gate ${gate} takes approve or reject, not request_changes.`,
      )
    case 'hash_required':
      return new DevflowError(
        'INVALID',
        'subject_hash_required',
        `Gate ${gate} wants the \`subjectHash\` of what you looked at.`,
      )
    case 'subject_changed':
      return new DevflowError(
        'CONFLICT',
        'subject_changed',
        `What gate ${gate} asks about is not what you looked at. Look again, then decide.`,
      )
  }
}
