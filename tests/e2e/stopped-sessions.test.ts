import { expect, test } from 'vitest'
import { eventsOf, statusesOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { flowTemplate } from '../support/templates.ts'

// Long enough for a new worker to tell a session to stop before anybody misses the worker that had it.
const stack = useStack({ DEVFLOW_HEARTBEAT_TIMEOUT_MS: '12000' })

test('a session that is told to stop when its worker has died was stopped, and has not failed', async () => {
  const phases = `
  - id: both
    parallel:
      branches:
        - [{ id: work, agent: { role: a, prompt: Work. } }]
        - [{ id: ok, gate: { title: Go on? } }]
`
  const streaming = { turns: [{ reply: 'many words '.repeat(200), chunks: 2000, chunkDelayMs: 20 }] }
  const run = await stack.submit(flowTemplate(phases, { a: streaming }))
  await stack.untilEvent(run, 'gate.opened')
  await stack.untilEvent(run, 'call.reserved')
  await stack.worker.kill()
  await stack.decide(run, 'ok', { decision: 'reject' })
  await stack.startWorker()
  const end = await stack.untilStatus(run, 'failed')
  expect(end.error).toMatchObject({ code: 'gate_rejected' })
  expect(statusesOf(end)).toEqual({ both: 'failed', work: 'canceled', ok: 'failed' })
  expect(eventsOf(end, 'phase.failed').map(({ phase }) => phase)).toEqual(['ok', 'both'])
})
