// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what expressions look like
// Runs at gates whose histories are kept. Run by `record.ts`; not part of the tests.
import { useStack } from '../support/stack.ts'
import { completing, flowTemplate, NOTE } from '../support/templates.ts'
import { recordingOn } from './recording-on.ts'

const stack = useStack()
const { kept, opened, update } = recordingOn(stack)

kept('gate-approved', async () => {
  const run = await opened()
  await stack.decide(run, 'ok')
  return run
})
kept('gate-rejected', async () => {
  const run = await opened()
  await stack.decide(run, 'ok', { decision: 'reject' })
  return run
})
kept('gate-rejected-ends', async () => {
  const run = await opened('onReject: end', '  - { id: never, wait: { for: PT1H } }\n')
  await stack.decide(run, 'ok', { decision: 'reject' })
  return run
})
kept('gate-expired', () => opened('deadline: PT0.3S, onDeadline: { then: fail }'))
kept('gate-escalated', () =>
  opened('deadline: PT0.2S, onDeadline: { escalateTo: [owner], after: PT0.2S, then: approve }'),
)
kept('gate-sent-back', async () => {
  const phases = `
  - { id: draft, agent: { role: a, prompt: Write., produces: note } }
  - { id: maybe, when: "\${{ artifacts.note.size > 1 }}", wait: { for: PT0.05S } }
  - { id: ok, gate: { title: Go on?, subject: [note], allowChanges: draft, onReject: { goto: maybe } } }
`
  const draft = { attempts: [[completing(NOTE)], [completing({ ...NOTE, size: 2 })]] }
  const run = await stack.submit(flowTemplate(phases, { a: { phases: { draft } } }))
  await stack.untilEvent(run, 'gate.opened')
  await update(run, 'ann', 'request_changes')
  await stack.untilEvent(run, 'gate.opened', 2)
  await stack.decide(run, 'ok', { decision: 'reject' })
  await stack.untilEvent(run, 'gate.opened', 3)
  await update(run, 'ann')
  return run
})
kept('gate-reminded', async () => {
  const run = await opened(
    'remindEvery: PT1S, deadline: PT1.5S, onDeadline: { escalateTo: [{ to: [owner], after: PT1S }, { to: ["role:lead"] }], then: reject }',
  )
  await stack.untilEvent(run, 'gate.escalated', 2)
  await stack.decide(run, 'ok')
  return run
})
kept('gate-by-updates-and-signals', async () => {
  const run = await opened('quorum: 5, rejectQuorum: 5')
  await Promise.all([
    ...['b', 'c'].map((actor) => update(run, actor)),
    // One of the two is refused.
    ...['approve', 'reject'].map((decision) => update(run, 'a', decision).catch(() => 'refused')),
    update(run, 'd', 'maybe').catch(() => 'refused by the validator'),
    stack.workflow(run).signal('gateDecision', { gate: 'ok', decision: 'approve', actor: 'd' }),
    stack.workflow(run).signal('gateDecision', { gate: 'ok', decision: 'maybe', actor: 'e' }),
    stack.decide(run, 'ok', { actor: 'e' }),
    stack.wake(run),
  ])
  for (const actor of ['f', 'g']) await stack.decide(run, 'ok', { actor })
  return run
})
