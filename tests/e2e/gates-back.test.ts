import { Report } from '@devflow/contracts'
import { delegateGate, readArtifact } from '@devflow/db'
import { describe, expect, test } from 'vitest'
import { eventOf, eventsOf, type Standing, statusesOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { completing, flowTemplate, NOTE } from '../support/templates.ts'

const stack = useStack()

const drafts = (...sizes: number[]) => ({
  attempts: sizes.map((size) => [completing({ ...NOTE, size })]),
})

/** A draft, a review of it, and a gate that may send both back. */
const reviewed = (rules: string): string =>
  flowTemplate(
    `
  - { id: draft, agent: { role: a, prompt: Write a note., produces: note } }
  - { id: review, agent: { role: b, prompt: Review it., inputs: [note], produces: second } }
  - { id: ok, gate: { title: Go on?, subject: [note, second], ${rules} } }
  - { id: nap, wait: { for: PT0.01S } }
`,
    {
      a: { phases: { draft: drafts(1, 2, 3) } },
      b: { phases: { review: drafts(11, 12, 13) } },
    },
  )

/** What a phase's attempt was asked, as it is in the log. */
function promptOf(run: Standing, phase: string, attempt: number): string {
  const turn = run.events.find(
    (event) => event.type === 'turn.started' && event.phase === phase && event.attempt === attempt,
  )
  return JSON.stringify(turn?.data.messages ?? null).replaceAll(/\\+n?/g, '')
}

describe.concurrent('changes requested at a gate', () => {
  test('go back to the named phase with the comment and what it made, and the gate opens anew', async () => {
    const run = await stack.submit(reviewed('allowChanges: draft'))
    await stack.untilEvent(run, 'gate.opened')
    const first = eventOf(await stack.standing(run), 'gate.opened').data
    const looked = { subjectHash: String(first.subjectHash) }
    expect(
      await stack.decide(run, 'ok', {
        actor: 'ann',
        decision: 'request_changes',
        comment: 'The size is wrong.',
        ...looked,
      }),
    ).toBe('accepted')
    // A repeat of the same counts once, as long as the gate is not open again.
    expect(await stack.decide(run, 'ok', { actor: 'ann', decision: 'request_changes' })).toBe('repeated')
    await stack.untilEvent(run, 'gate.opened', 2)
    // Who looked at the old draft has not looked at the new one.
    expect(await stack.decide(run, 'ok', { actor: 'ann', ...looked })).toBe('subject_changed')
    expect(await stack.decide(run, 'ok', { actor: 'ann' })).toBe('accepted')
    const end = await stack.untilStatus(run, 'completed')

    expect(end.phases).toMatchObject({
      draft: { attempt: 2 },
      review: { attempt: 2 },
      ok: { attempt: 2, output: { status: 'approved' } },
      nap: { attempt: 1 },
    })
    expect(eventOf(end, 'gate.changes_requested').data).toMatchObject({
      gate: 'ok',
      to: 'draft',
      round: 1,
      requests: [{ actor: 'ann', comment: 'The size is wrong.' }],
    })
    expect(eventsOf(end, 'gate.closed').map(({ data }) => [data.status, data.outcome])).toEqual([
      ['rejected', 'changes_requested'],
      ['approved', undefined],
    ])
    expect(eventsOf(end, 'gate.decided').map(({ attempt, data }) => [attempt, data.decision])).toEqual([
      [1, 'request_changes'],
      [2, 'approve'],
    ])
    const prompt = promptOf(end, 'draft', 2)
    expect(prompt).toContain('The size is wrong.')
    expect(prompt).toContain('made=')
    expect(promptOf(end, 'draft', 1)).not.toContain('changes-requested')
    expect(promptOf(end, 'review', 2)).not.toContain('changes-requested')
    expect(promptOf(end, 'review', 2)).toContain('"size": 2')
  })

  test('are refused where the gate does not take them, and after as many rounds as it allows', async () => {
    const plain = await stack.submit(flowTemplate('  - { id: ok, gate: { title: Go on? } }'))
    await stack.untilEvent(plain, 'gate.opened')
    expect(await stack.decide(plain, 'ok', { decision: 'request_changes' })).toBe('changes_not_allowed')
    await stack.decide(plain, 'ok')

    const run = await stack.submit(reviewed('allowChanges: draft, maxRounds: 1'))
    await stack.untilEvent(run, 'gate.opened')
    await stack.decide(run, 'ok', { decision: 'request_changes' })
    await stack.untilEvent(run, 'gate.opened', 2)
    expect(await stack.decide(run, 'ok', { decision: 'request_changes' })).toBe('rounds_exhausted')
    expect(await stack.decide(run, 'ok', { decision: 'reject' })).toBe('accepted')
    const end = await stack.untilStatus(run, 'failed')
    expect(end.error?.code).toBe('gate_rejected')
  })
})

describe.concurrent('a rejection', () => {
  test('goes back where the gate says so, as often as it may, and then fails the run', async () => {
    const run = await stack.submit(reviewed('onReject: { goto: review }, maxRounds: 2'))
    for (const opening of [1, 2, 3]) {
      await stack.untilEvent(run, 'gate.opened', opening)
      await stack.decide(run, 'ok', { decision: 'reject', comment: `No, ${opening}.` })
    }
    const end = await stack.untilStatus(run, 'failed')
    expect(end.error).toMatchObject({ code: 'gate_rejected', message: expect.stringContaining('2 times') })
    expect(end.phases).toMatchObject({ draft: { attempt: 1 }, review: { attempt: 3 }, ok: { attempt: 3 } })
    expect(promptOf(end, 'review', 3)).toContain('No, 2.')
    expect(promptOf(end, 'review', 3)).not.toContain('No, 1.')
    expect(statusesOf(end).nap).toBe('pending')
  })
})

test('the report tells every opening with its decisions, and who decided for whom', async () => {
  const run = await stack.submit(reviewed('allowChanges: draft'))
  await stack.untilEvent(run, 'gate.opened')
  await stack.decide(run, 'ok', { actor: 'ann', decision: 'request_changes', comment: 'The size is wrong.' })
  await stack.untilEvent(run, 'gate.opened', 2)
  const delegated = { run, gate: 'ok', actor: 'ann', holds: [], to: 'bob', via: 'api' }
  expect(await delegateGate(stack.pool, delegated)).toBe('accepted')
  await stack.decide(run, 'ok', { actor: 'bob' })
  await stack.untilStatus(run, 'completed')
  const text = async (name: string) => String((await readArtifact(stack.pool, run, name))?.content)
  const report = Report.parse(JSON.parse(await text('report.json')))
  const gate = report.phases.find(({ id }) => id === 'ok')?.gate
  expect(gate?.openings).toMatchObject([
    { attempt: 1, outcome: 'changes_requested', goto: 'draft', subject: [{ artifact: 'note' }, {}] },
    { attempt: 2, outcome: 'approved' },
  ])
  expect(gate?.openings?.[0]?.subject).not.toEqual(gate?.openings?.[1]?.subject)
  expect(gate?.delegations).toMatchObject([{ from: 'ann', to: 'bob', attempt: 2 }])
  const markdown = await text('report.md')
  expect(markdown).toMatch(/Opening 1, on .*: \*\*changes requested\*\*, back to `draft`\./)
  expect(markdown).toContain('The size is wrong.')
  expect(markdown).toContain('**ann** let bob decide')
})
