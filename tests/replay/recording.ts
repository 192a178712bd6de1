// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what expressions look like
// The runs whose histories are kept. Run by `record.ts`; not part of the tests.
import { rm } from 'node:fs/promises'
import { DEFAULT_TENANT, TEMPORAL } from '@devflow/contracts'
import { pauseSchedule, putSchedule } from '@devflow/db'
import { test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { callTemplate } from '../support/functions.ts'
import { smallRepository } from '../support/repository.ts'
import { useStack } from '../support/stack.ts'
import {
  agentTemplate,
  completing,
  failing,
  flowTemplate,
  gateTemplate,
  looking,
  NOTE,
  scriptedTemplate,
} from '../support/templates.ts'
import { keepHistory } from './kept-histories.ts'
import { OVER, recordingOn } from './recording-on.ts'

const stack = useStack()
const STREAMING = `[turns=0][chunks=400][chunkDelayMs=20] [[complete:"${'many words '.repeat(200)}"]]`

/** Three sessions, of which the second is as long as its script. */
const IN_A_ROW = (second: object[]): string =>
  flowTemplate(
    ['one', 'two', 'three'].map((id) => `  - { id: ${id}, agent: { role: a, prompt: Work. } }`).join('\n'),
    { a: { phases: { one: [{ reply: 'Done.' }], two: second, three: [{ reply: 'Done.' }] } } },
  )

const { kept, opened, update } = recordingOn(stack)

kept('spec-and-review', async () => {
  const repo = await smallRepository()
  const run = await stack.submit('spec-and-review@1', {
    input: { request: 'Check the arguments of add.' },
    bindings: {
      'spec-writer': 'offline-spec-writer@1',
      reviewer: 'offline-code-reviewer@1',
      verifier: 'offline-verifier@1',
    },
    workspace: { repo, base: 'main' },
  })
  await stack.untilEvent(run, 'gate.opened')
  await stack.decide(run, 'approve')
  await stack.untilStatus(run, ...OVER)
  await rm(repo, { recursive: true, force: true })
  return run
})

kept('agent-completed', () =>
  stack.submit(scriptedTemplate({ turns: [looking, completing(NOTE)] }, { produces: true })),
)
kept('sessions-in-a-row', () => stack.submit(IN_A_ROW([{ reply: 'Done.' }])))
kept('sessions-in-a-row-shown', () =>
  stack.submit(IN_A_ROW([{ reply: 'many words '.repeat(20), chunks: 150, chunkDelayMs: 20 }])),
)
kept('agent-failed', () => stack.submit(scriptedTemplate({ turns: [failing] })))
kept('artifact-invalid', () =>
  stack.submit(scriptedTemplate({ turns: [completing({})] }, { produces: true })),
)
kept('phase-continued-after-failure', () =>
  stack.submit(
    scriptedTemplate(
      { turns: [failing] },
      { phase: 'onError: continue', then: '  - { id: nap, wait: { for: PT0.01S } }' },
    ),
  ),
)
kept('phase-retried', () =>
  stack.submit(
    scriptedTemplate(
      { phases: { work: { attempts: [[failing], [failing], [{ reply: 'Done.' }]] } } },
      { phase: 'retry: { maxAttempts: 3, backoff: PT0.1S }' },
    ),
  ),
)
kept('run-retried-as-it-failed', async () => {
  const run = await stack.submit(
    scriptedTemplate({ phases: { work: { attempts: [[failing], [{ reply: 'Done.' }]] } } }),
  )
  await stack.untilEvent(run, 'run.failed')
  await stack.command(run, 'retry')
  await stack.untilStatus(run, 'completed')
  return run
})
kept('phase-skipped', () =>
  stack.submit(`
kind: template
id: when@1
phases:
  - { id: never, when: false, gate: { title: Deep enough? } }
  - { id: nap, wait: { for: PT0.01S } }
`),
)
kept('over-budget', () =>
  stack.submit(agentTemplate('[turns=0]'), { budget: { limitMicroUsd: 1, onExceeded: 'block' } }),
)

kept('woken-often', async () => {
  const run = await opened()
  for (let times = 0; times < 20; times += 1) await stack.workflow(run).signal('wake')
  await stack.decide(run, 'ok')
  return run
})

kept('waits', async () => {
  const run = await stack.submit(`
kind: template
id: waits@1
phases:
  - { id: nap, wait: { for: PT0.1S } }
  - { id: past, wait: { until: '2020-01-01T00:00:00Z' } }
  - { id: early, wait: { signal: early } }
  - { id: late, wait: { signal: late } }
`)
  await stack.signal(run, 'early', 's1')
  await stack.until(run, ({ phases }) => phases.late?.status === 'waiting')
  await stack.signal(run, 'late', 's1', { n: 1 })
  return run
})

kept('paused-in-a-phase', async () => {
  const run = await stack.submit(agentTemplate('[turns=2][chunks=20][chunkDelayMs=20]'))
  await stack.untilEvent(run, 'call.started')
  await stack.command(run, 'pause')
  await stack.untilEvent(run, 'run.paused')
  await stack.command(run, 'resume')
  return run
})
kept('paused-at-a-gate', async () => {
  const run = await opened()
  await stack.workflow(run).signal('pause', { actor: 'ann' })
  await stack.untilStatus(run, 'paused')
  await stack.decide(run, 'ok')
  await stack.workflow(run).signal('resume')
  return run
})
kept('canceled-in-a-stream', async () => {
  const run = await stack.submit(agentTemplate(STREAMING))
  await stack.untilEvent(run, 'call.started')
  await stack.command(run, 'cancel')
  return run
})
kept('canceled-at-a-gate', async () => {
  const run = await opened()
  await stack.command(run, 'cancel')
  return run
})
kept('canceled-in-a-back-off', async () => {
  const run = await stack.submit(
    scriptedTemplate({ turns: [failing] }, { phase: 'retry: { maxAttempts: 3, backoff: PT1H }' }),
  )
  await stack.untilEvent(run, 'phase.retried')
  await stack.command(run, 'cancel')
  return run
})
kept('canceled-in-temporal-in-a-stream', async () => {
  const run = await stack.submit(agentTemplate(STREAMING))
  await stack.untilEvent(run, 'call.started')
  await stack.workflow(run).cancel()
  return run
})
kept('canceled-in-temporal-at-a-gate', async () => {
  const run = await opened()
  await stack.workflow(run).cancel()
  return run
})
kept('canceled-before-it-began', async () => {
  const run = await stack.submit(gateTemplate())
  await stack.command(run, 'cancel')
  return run
})

kept('terminated-and-brought-back', async () => {
  const run = await opened()
  await stack.workflow(run).terminate()
  await stack.decide(run, 'ok')
  return run
})
kept('woken-after-its-end', async () => {
  const { id } = await stack.finish(gateTemplate('deadline: PT0.01S, onDeadline: { then: approve }'))
  await stack.untilQuiet(id)
  await stack.wake(id)
  return id
})
kept('worker-killed-in-a-stream', async () => {
  const run = await stack.submit(agentTemplate('[turns=2][chunks=40][chunkDelayMs=20]'))
  await stack.untilEvent(run, 'call.started')
  await stack.worker.kill()
  await stack.startWorker()
  return run
})
kept('worker-replaced-at-a-gate', async () => {
  const run = await opened('quorum: 2')
  await update(run, 'ann')
  await stack.stopWorker()
  await stack.startWorker()
  await update(run, 'bob')
  return run
})
kept('worker-drained-in-a-phase', async () => {
  const run = await stack.submit(agentTemplate('[turns=4][chunks=20][chunkDelayMs=20]'))
  await stack.untilEvent(run, 'call.started')
  await stack.stopWorker()
  await stack.startWorker()
  return run
})

kept('parallel-with-gates', async () => {
  const run = await stack.submit(
    flowTemplate(
      `
  - id: both
    parallel:
      branches:
        - [{ id: one, gate: { title: One? } }, { id: work, agent: { role: a, prompt: Work. } }]
        - [{ id: two, gate: { title: Two? } }, { id: nap, wait: { for: PT0.05S } }]
        - [{ id: early, agent: { role: b, prompt: Work. } }]
`,
    ),
  )
  await stack.untilStatus(run, 'waiting')
  await stack.decide(run, 'two')
  await stack.untilEvent(run, 'run.waiting', 2)
  await update(run, 'ann').catch(() => 'there is no gate of that name')
  await stack.decide(run, 'one')
  return run
})
kept('parallel-failed-and-retried', async () => {
  const long = { reply: 'many words '.repeat(200), chunks: 400, chunkDelayMs: 10 }
  const run = await stack.submit(
    flowTemplate(
      '  - { id: both, parallel: { branches: [[{ id: left, agent: { role: a, prompt: x } }], [{ id: right, agent: { role: b, prompt: x } }]] } }',
      {
        a: { phases: { left: { attempts: [[{ ...failing, delayMs: 200 }], [{ reply: 'Done.' }]] } } },
        b: { phases: { right: [long] } },
      },
    ),
  )
  await stack.untilEvent(run, 'run.failed')
  await stack.command(run, 'retry')
  return run
})
kept('parallel-paused-and-canceled', async () => {
  const streaming = { turns: [{ ...looking, reply: 'words '.repeat(50), chunks: 30, chunkDelayMs: 10 }] }
  const run = await stack.submit(
    flowTemplate(
      '  - { id: both, parallel: { branches: [[{ id: left, agent: { role: a, prompt: x } }], [{ id: right, agent: { role: b, prompt: x } }]] } }',
      { a: streaming, b: streaming },
    ),
  )
  await stack.untilEvent(run, 'call.reserved', 2)
  await stack.command(run, 'pause')
  await stack.untilEvent(run, 'run.paused')
  await stack.command(run, 'resume')
  await stack.untilEvent(run, 'turn.started', 4)
  await stack.command(run, 'cancel')
  return run
})
kept('map-of-agents', () =>
  stack.submit(
    flowTemplate(
      '  - { id: each, map: { over: [0, 1, 2, 3, 4], concurrency: 2, phases: [{ id: work, agent: { role: a, prompt: x } }, { id: nap, wait: { for: PT0.01S } }] } }',
    ),
  ),
)
kept('map-worker-killed', async () => {
  const slow = { turns: [{ reply: 'words '.repeat(50), chunks: 50, chunkDelayMs: 20 }] }
  const run = await stack.submit(
    flowTemplate(
      '  - { id: each, map: { over: [0, 1, 2], concurrency: 2, phases: [{ id: work, agent: { role: a, prompt: x } }] } }',
      { a: slow },
    ),
  )
  await stack.untilEvent(run, 'call.reserved', 2)
  await stack.worker.kill()
  await stack.startWorker()
  return run
})
kept('cycle-of-waits', () =>
  stack.submit(
    flowTemplate(
      '  - { id: loop, cycle: { max: 5, until: "${{ iteration >= 4 }}", phases: [{ id: nap, wait: { for: PT0.01S } }] } }',
    ),
  ),
)
kept('child-run', () =>
  stack.submit(`
kind: template
id: parent@1
phases:
  - { id: sub, workflow: { template: child@1 } }
  - { id: both, parallel: { branches: [[{ id: again, workflow: { template: child@1 } }], [{ id: nap, wait: { for: PT0.01S } }]] } }
---
kind: template
id: child@1
phases:
  - { id: rest, wait: { for: PT0.2S } }
`),
)

kept('function-called', () =>
  stack.submit(callTemplate('export default () => 1', { then: [{ id: 'nap', wait: { for: 'PT0.01S' } }] })),
)
kept('functions-side-by-side', () => {
  const each = { id: 'each', map: { over: [0, 1, 2], phases: [{ id: 'one', function: { name: 'fn@1' } }] } }
  return stack.submit(callTemplate('export default () => 1', { then: [each] }))
})
const UNDONE = { compensate: { function: 'fn@1' } }
kept('undone-after-failure', () => {
  const bad = { id: 'bad', map: { over: '${{ run.labels }}', phases: [{ id: 'x', wait: { for: 'PT1S' } }] } }
  return stack.submit(callTemplate('export default () => 1', { phase: UNDONE, then: [bad] }))
})
kept('undone-after-cancel', async () => {
  const waits = [{ id: 'nap', wait: { for: 'PT1H' } }]
  const run = await stack.submit(callTemplate('export default () => 1', { phase: UNDONE, then: waits }))
  await stack.untilEvent(run, 'wait.opened')
  await stack.command(run, 'cancel')
  return run
})
// Beside the one before it: Temporal shows that it is being undone, and before that that it is paused.
kept('undone-as-shown', async () => {
  const run = await stack.submit(
    callTemplate('export default () => 1', {
      phase: UNDONE,
      then: [{ id: 'ask', gate: { title: 'Go on?', deadline: 'P1D' } }],
    }),
  )
  await stack.untilEvent(run, 'gate.opened')
  await stack.command(run, 'pause')
  await stack.untilEvent(run, 'run.paused')
  await stack.command(run, 'resume')
  await stack.command(run, 'cancel')
  return run
})
kept('undone-by-two-workers', async () => {
  const source = `export default async (input, ctx) => {
    if (input.undo && ctx.attempt === 1) throw new Error('not at first')
    if (input.undo) await new Promise((on) => setTimeout(on, 1_000))
  }`
  const phase = { compensate: { function: 'fn@1', input: { undo: true } } }
  const waits = [{ id: 'nap', wait: { for: 'PT1H' } }]
  const run = await stack.submit(callTemplate(source, { phase, then: waits }))
  await stack.untilEvent(run, 'wait.opened')
  await stack.command(run, 'cancel')
  await stack.untilEvent(run, 'function.started', 3)
  await stack.command(run, 'cancel')
  await stack.worker.kill()
  await stack.startWorker()
  return run
})

test('schedule-told', async () => {
  const schedule = { tenant: DEFAULT_TENANT, id: 'each-second' }
  await putSchedule(
    stack.pool,
    { ...schedule, actor: 'owner' },
    { spec: { intervals: [{ every: 'PT1S' }] }, submit: { template: 'nobody@1' } },
  )
  const [told] = await eventually(
    () =>
      Array.fromAsync(
        stack.client.workflow.list({
          query: `WorkflowType = '${TEMPORAL.occasionWorkflow}' AND ExecutionStatus = 'Completed'`,
        }),
      ),
    (executions) => executions.length > 0,
  )
  await pauseSchedule(stack.pool, { ...schedule, pause: true })
  if (told) await keepHistory('schedule-told', stack.client, told.workflowId)
})
