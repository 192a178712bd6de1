import type { GatePhase } from '@devflow/contracts'
import type { EventLine } from '@devflow/db'
import { canonicalHash, instanceId, render, roundStart } from '@devflow/definition'
import { artifactsSeen, nodeNamed, scopeOf } from '../scope/index.ts'
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
      ...goesBack(step, gate),
      ...(gate.notAuthors ? { author: step.progress.actor } : {}),
      ...(gate.remindEvery ? { remindEvery: gate.remindEvery } : {}),
      ...(gate.onDeadline ? { onDeadline: gate.onDeadline } : {}),
      ...(gate.deadline ? { deadline: gate.deadline } : {}),
    }),
  ]
}

/** How often a run may go back from a gate, unless it says. */
const MOST_ROUNDS = 10

/**
 * Where the gate may send the run back to: `to`, the phase beside it that everything begins anew with, and `for`, the one
 * in it that is told why.
 */
function goesBack({ definition, node, at }: Step, { allowChanges, onReject, maxRounds }: GatePhase): object {
  const back = (name: string | undefined) => {
    const target = name === undefined ? undefined : nodeNamed(definition, name)
    const start = target && roundStart(target, node)
    return start && { to: instanceId(start, [...at.position.slice(0, -1), start.index]), for: name }
  }
  const changes = back(allowChanges)
  const reject = back(typeof onReject === 'object' ? onReject.goto : undefined)
  if (!changes && !reject) return {}
  return {
    goesBack: {
      ...(changes ? { changes } : {}),
      ...(reject ? { reject } : {}),
      maxRounds: maxRounds ?? MOST_ROUNDS,
    },
  }
}
