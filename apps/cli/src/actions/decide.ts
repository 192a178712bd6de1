import type { DecisionKind, DevflowClient } from '@devflow/client'
import { DevflowError } from '@devflow/contracts'
import type { Command } from 'commander'
import { decidedLines } from '../following/decided-lines.ts'
import { invocationOf } from '../invocation.ts'
import type { Words } from '../messages/words.ts'
import { badUsage } from '../refuse.ts'
import { findRunId } from '../run-id.ts'

interface Flags {
  comment?: string
  subjectHash?: string
  raiseTo?: number
}

/** Decides a gate of a run: the one named, or the only one that is open. */
export const deciding =
  (decision: DecisionKind) =>
  async (
    run: string,
    gate: string | undefined,
    { comment, subjectHash, raiseTo }: Flags,
    command: Command,
  ): Promise<void> => {
    const { json, screen, words, printJson, client: connect } = invocationOf(command)
    const client = connect()
    const id = await findRunId(client, run, words)
    // What nobody has said they looked at is not claimed: without --subject-hash the log says «implied».
    const decided = await client.gates.decide(id, gate ?? (await onlyOpenGate(client, id, words)), {
      decision,
      ...(comment === undefined ? {} : { comment }),
      ...(subjectHash === undefined ? {} : { subjectHash }),
      ...(raiseTo === undefined ? {} : { raiseToMicroUsd: raiseTo }),
    })
    if (json) printJson(decided)
    else screen.print(...decidedLines(decided, decision, words))
  }

/** Hands the decision on: of the gate named, or of the only one that is open. */
export async function delegateGate(
  run: string,
  gate: string | undefined,
  { to, comment }: { to: string; comment?: string },
  command: Command,
): Promise<void> {
  const { json, screen, words, printJson, client: connect } = invocationOf(command)
  const client = connect()
  const id = await findRunId(client, run, words)
  const delegated = await client.gates.delegate(id, gate ?? (await onlyOpenGate(client, id, words)), {
    to,
    ...(comment === undefined ? {} : { comment }),
  })
  if (json) printJson(delegated)
  else screen.print(words.gate.delegated(delegated.id, to))
}

async function onlyOpenGate(client: DevflowClient, run: string, { failures }: Words): Promise<string> {
  const { items } = await client.gates.list({ run, status: 'open' })
  const [first, ...others] = items
  if (!first) throw new DevflowError('NOT_FOUND', 'no_open_gate', failures.noOpenGate(run))
  if (others.length > 0) throw badUsage(failures.severalGates(items.map(({ id }) => id).join(', ')))
  return first.id
}
