import { DevflowError } from '@devflow/contracts'
import type { DecisionAnswer } from './decide-gate.ts'
import type { DelegationAnswer } from './delegate-gate.ts'

/** Why a decision or delegation was not taken, for whoever made it; undefined when it was. One table for HTTP and Temporal. */
export function decisionRefusal(
  answer: DecisionAnswer | DelegationAnswer,
  gate: string,
): DevflowError | undefined {
  switch (answer) {
    case 'accepted':
    case 'repeated':
      return undefined
    case 'unknown_run':
      return new DevflowError('NOT_FOUND', 'run_not_found', 'There is no such run.')
    case 'unknown_gate':
      return new DevflowError(
        'NOT_FOUND',
        'gate_not_found',
        `The run has no gate ${gate.slice(0, 100)}, or not yet.`,
      )
    case 'not_approver':
      return new DevflowError('PERMISSION_DENIED', 'not_approver', 'You are not an approver of this gate.')
    case 'handed_over':
      return new DevflowError(
        'PERMISSION_DENIED',
        'not_approver',
        'You have named somebody else to decide in your place at this gate.',
      )
    case 'is_author':
      return new DevflowError(
        'PERMISSION_DENIED',
        'not_approver',
        'You submitted this run: at this gate nobody approves their own work.',
      )
    case 'rounds_exhausted':
      return new DevflowError(
        'CONFLICT',
        'rounds_exhausted',
        'The run has gone back from this gate as often as it may: approve or reject.',
      )
    case 'decided_already':
      return new DevflowError(
        'CONFLICT',
        'decided_already',
        'That seat, or whoever would get it, has decided already at this gate.',
      )
    case 'delegation_circle':
      return new DevflowError(
        'CONFLICT',
        'delegation_circle',
        'They have named you, or somebody who names you, to decide in their place: that would go round in a circle.',
      )
    case 'closed':
      return new DevflowError('CONFLICT', 'gate_closed', 'The gate is closed: the decision came too late.')
    case 'decided_otherwise':
      return new DevflowError(
        'CONFLICT',
        'decided_otherwise',
        'You have decided otherwise on this gate already.',
      )
    case 'changes_not_allowed': {
      const errors = [{ path: 'decision', message: 'this gate takes approve or reject' }]
      return new DevflowError('INVALID', 'changes_not_allowed', 'This gate takes no requests for changes.', {
        errors,
      })
    }
    case 'hash_required': {
      const errors = [{ path: 'subjectHash', message: 'is required by this gate' }]
      return new DevflowError(
        'INVALID',
        'hash_required',
        'This gate requires the hash of what you looked at.',
        { errors },
      )
    }
    case 'not_a_budget_gate': {
      const errors = [{ path: 'raiseToMicroUsd', message: 'only a budget gate takes it' }]
      return new DevflowError('INVALID', 'not_a_budget_gate', 'This gate raises no budget.', { errors })
    }
    case 'raise_too_low': {
      const errors = [
        { path: 'raiseToMicroUsd', message: 'expected more than the limit in money, to approve' },
      ]
      const message = 'That raises no limit: give more than the limit in money that the gate asks about.'
      return new DevflowError('INVALID', 'raise_too_low', message, { errors })
    }
    case 'subject_changed':
      return new DevflowError(
        'CONFLICT',
        'subject_changed',
        'The subject is not what you looked at: look again.',
      )
  }
}
