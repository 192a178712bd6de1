import { EVENT_TYPES, PutWebhook } from '@devflow/contracts'
import type pg from 'pg'
import { expect, test } from 'vitest'
import type { Line } from '../append-types.ts'
import type { GroupWriter } from '../group-writer.ts'
import { useLog } from '../testing-log.ts'
import { newRun } from '../testing-runs.ts'
import { listDeliveries, putWebhook } from './index.ts'

let pool: pg.Pool
let writer: GroupWriter
useLog((log) => {
  ;({ pool, writer } = log)
})

const sha256 = 'a'.repeat(64)
const file = { name: 'note', version: 1, sha256, mediaType: 'text/plain', bytes: 1 }
/** What the projections of some types cannot do without. */
const DATA: Record<string, object> = {
  'run.retried': { attempt: 2, phase: 'p' },
  'phase.expanded': { from: 0, to: 0, phases: [] },
  'gate.opened': {
    title: 'T',
    subject: [],
    subjectHash: sha256,
    quorum: 1,
    rejectQuorum: 1,
    requireSubjectHash: false,
    onReject: 'fail',
  },
  'gate.decided': { actor: 'ann', decision: 'approve', subjectHash: sha256, implied: true, via: 'api' },
  'gate.delegated': { from: 'ann', to: 'bob', own: false, via: 'api' },
  'gate.closed': { status: 'approved' },
  'signal.received': { name: 'go', id: 's1', data: null, actor: 'ann' },
  'artifact.accepted': file,
  'budget.raised': { scope: 'run' },
  'workspace.snapshot': { line: 'main', sha256, bytes: 1, commit: 'c', base: 'b', links: 0 },
  'report.written': { artifacts: [{ ...file, name: 'report' }] },
}
const isTold = (type: string) => !/^(turn|tool|call)\./.test(type)
const nameOf = (type: string) => type.replace('.', '-')

test('every type of event but those of turns, tools and calls can be asked for, and is queued once', async () => {
  for (const type of EVENT_TYPES) {
    const webhook = PutWebhook.parse({ url: 'https://example.com/x', events: [type] })
    await putWebhook(pool, { tenant: 'default', id: nameOf(type), actor: 'owner', secret: 's' }, webhook)
  }
  const run = await newRun(pool)
  const others = EVENT_TYPES.filter((type) => type !== 'run.submitted' && !type.startsWith('call.'))
  for (const type of others) {
    const line: Line = { type, key: `x/${type}`, phase: 'p', attempt: 1, data: { gate: 'g', ...DATA[type] } }
    expect(await writer.append({ run, lines: [line] })).toMatchObject({ verdict: 'written' })
  }
  const told = async (type: string) =>
    (await listDeliveries(pool, { tenant: 'default', webhook: nameOf(type) }, { limit: 10 })).items
  for (const type of EVENT_TYPES)
    expect([type, await told(type)]).toEqual([
      type,
      isTold(type) ? [expect.objectContaining({ type, runId: run })] : [],
    ])
})
