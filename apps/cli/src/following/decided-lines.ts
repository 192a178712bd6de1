import type { DecisionKind, Gate } from '@devflow/client'
import type { Words } from '../messages/words.ts'

/** What has come of a decision. */
export function decidedLines(gate: Gate, decision: DecisionKind, { gate: words }: Words): string[] {
  const given = gate.decisions.filter((each) => each.decision === decision).length
  return [
    words.decided[decision](gate.id),
    ...(gate.status === 'open' ? [words.stillOpen(given, gate.quorum)] : []),
  ]
}
