import type { GatePhase } from '@devflow/contracts'
import type { EventLine } from '@devflow/db'
import { canonicalHash, render } from '@devflow/definition'
import { artifactsSeen, scopeOf } from '../scope/index.ts'
import { event, type Step, viewFrom } from './step.ts'

/** What opens a gate: the artifact versions it asks about, hashed, and the rules it is decided by. */
export async function openGate(step: Step, gate: GatePhase): Promise<EventLine[]> {
  const view = viewFrom(step)
  const seen = await artifactsSeen(view, gate.subject ?? [])
  const subject = (gate.subject ?? []).flatMap((artifact) => {
    const found = seen.get(artifact)
    return found ? [{ artifact: found.name, sha256: found.sha256 }] : []
  })
  return [
    event(step, 'gate.opened', 'opened', {
      gate: step.at.id,
      title: render(gate.title, await scopeOf(view, [gate.title])),
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
