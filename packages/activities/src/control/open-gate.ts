import type { GatePhase } from '@devflow/contracts'
import type { EventLine } from '@devflow/db'
import { canonicalHash, render } from '@devflow/definition'
import { scopeOf } from '../scope.ts'
import { event, type Step } from './step.ts'

/** What opens a gate: the artifact versions it asks about, hashed, and the rules it is decided by. */
export async function openGate(step: Step, gate: GatePhase): Promise<EventLine[]> {
  const { deps, progress, phase } = step
  const subject = (gate.subject ?? []).flatMap((artifact) => {
    const found = progress.artifacts.find(({ name }) => name === artifact)
    return found ? [{ artifact, sha256: found.sha256 }] : []
  })
  return [
    event(step, 'gate.opened', 'opened', {
      gate: phase.id,
      title: render(gate.title, await scopeOf(deps.pool, progress, [gate.title])),
      subject,
      subjectHash: canonicalHash(subject),
      quorum: gate.quorum ?? 1,
      rejectQuorum: gate.rejectQuorum ?? 1,
      ...(gate.approvers ? { approvers: gate.approvers } : {}),
      requireSubjectHash: gate.requireSubjectHash ?? false,
      onReject: typeof gate.onReject === 'string' ? gate.onReject : 'fail',
      ...(gate.onDeadline ? { onDeadline: gate.onDeadline } : {}),
      ...(gate.deadline ? { deadline: gate.deadline } : {}),
    }),
  ]
}
