import type { DevflowClient, RunStatus } from '@devflow/client'
import type { Words } from '../messages/words.ts'
import type { Voice } from './voice.ts'

/**
 * Follows a run to its end, says what happens, and with `approve` decides its gates on the way. Answers how it ended;
 * `waiting` when it needs a person and may not be answered for.
 */
export async function followSample(
  client: DevflowClient,
  runId: string,
  approve: boolean,
  voice: Voice,
  { up: words }: Words,
): Promise<RunStatus> {
  const events = client.runs.follow(runId)
  for (;;) {
    const next = await events.next()
    if (next.done) return next.value.status
    voice.event(next.value)
    if (next.value.type !== 'gate.opened') continue
    const { items } = await client.gates.list({ run: runId })
    const open = items.filter((gate) => gate.status === 'open')
    if (open.length === 0) continue
    if (!approve) {
      voice.say(words.waits(open.map((gate) => gate.title).join(', ')))
      voice.say(words.waitsOn)
      return 'waiting'
    }
    for (const { id, subjectHash } of open) {
      const decision = { decision: 'approve' as const, comment: words.approvedComment, subjectHash }
      await client.gates.decide(runId, id, decision)
    }
  }
}
