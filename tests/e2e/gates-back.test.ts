// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what expressions look like
import { Report } from '@devflow/contracts'
import { delegateGate, readArtifact } from '@devflow/db'
import { describe, expect, test } from 'vitest'
import { eventOf, eventsOf, type Standing, statusesOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { completing, failing, flowTemplate, NOTE } from '../support/templates.ts'

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

describe.concurrent('going back', () => {
  test('over phases that hold others begins them anew with all that is in them', async () => {
    const phases = `
  - id: both
    parallel: { branches: [[{ id: one, agent: { role: a, prompt: One., produces: note } }], [{ id: two, agent: { role: b, prompt: Two. } }]] }
  - { id: maybe, when: "\${{ phases.both.status == 'completed' }}", wait: { for: PT0.01S } }
  - { id: ok, gate: { title: Go on?, subject: [note], allowChanges: one } }
`
    const run = await stack.submit(
      flowTemplate(phases, { a: { phases: { one: drafts(1), 'one#2': drafts(2) } } }),
    )
    await stack.untilEvent(run, 'gate.opened')
    await stack.decide(run, 'ok', { decision: 'request_changes', comment: 'Bigger.' })
    await stack.untilEvent(run, 'gate.opened', 2)
    await stack.decide(run, 'ok')
    const end = await stack.untilStatus(run, 'completed')
    expect(statusesOf(end)).toEqual({
      both: 'completed',
      one: 'completed',
      two: 'completed',
      'one#2': 'completed',
      'two#2': 'completed',
      maybe: 'completed',
      ok: 'completed',
    })
    expect(promptOf(end, 'one#2', 1)).toContain('Bigger.')
    expect(promptOf(end, 'one#2', 1)).toContain('"size": 1')
    expect(promptOf(end, 'two#2', 1)).not.toContain('Bigger.')
  })

  test('inside others stays there: each item of a map has its own rounds', async () => {
    const phases = `
  - id: each
    map:
      over: [1, 2]
      phases:
        - { id: draft, agent: { role: a, prompt: Write., produces: note } }
        - { id: ok, gate: { title: Go on?, subject: [note], allowChanges: draft, onReject: end } }
  - { id: nap, wait: { for: PT0.01S } }
`
    const run = await stack.submit(
      flowTemplate(phases, {
        a: { phases: { 'draft[0]': drafts(1, 2), 'draft[1]': drafts(1, 2) } },
      }),
    )
    await stack.untilEvent(run, 'gate.opened', 2)
    await stack.decide(run, 'ok[0]', { decision: 'request_changes', comment: 'Only this one.' })
    await stack.untilEvent(run, 'gate.opened', 3)
    await stack.decide(run, 'ok[0]')
    await stack.decide(run, 'ok[1]')
    const end = await stack.untilStatus(run, 'completed')
    expect(end.phases).toMatchObject({
      'draft[0]': { attempt: 2 },
      'ok[0]': { attempt: 2 },
      'draft[1]': { attempt: 1 },
      'ok[1]': { attempt: 1 },
      nap: { status: 'completed' },
    })
    expect(promptOf(end, 'draft[0]', 2)).toContain('Only this one.')
  })

  test('of a paused run takes effect when it goes on; what was skipped is asked again', async () => {
    const phases = `
  - { id: draft, agent: { role: a, prompt: Write., produces: note } }
  - { id: again, when: "\${{ artifacts.note.size > 1 }}", wait: { for: PT0.01S } }
  - { id: ok, gate: { title: Go on?, onReject: { goto: draft } } }
`
    const run = await stack.submit(flowTemplate(phases, { a: { phases: { draft: drafts(1, 2) } } }))
    await stack.untilEvent(run, 'gate.opened')
    await stack.command(run, 'pause')
    await stack.decide(run, 'ok', { decision: 'reject' })
    await stack.untilEvent(run, 'run.paused')
    expect((await stack.standing(run)).phases).toMatchObject({ draft: { status: 'pending', attempt: 2 } })
    await stack.command(run, 'resume')
    await stack.untilEvent(run, 'gate.opened', 2)
    await stack.decide(run, 'ok')
    const end = await stack.untilStatus(run, 'completed')
    expect(eventsOf(end, 'phase.skipped').map(({ phase, attempt }) => [phase, attempt])).toEqual([
      ['again', 1],
    ])
    expect(end.phases.again).toMatchObject({ status: 'completed', attempt: 2 })
  })

  test('is read from the log, where the workflow is ended in the middle of it', async () => {
    const run = await stack.submit(reviewed('allowChanges: draft'))
    await stack.untilEvent(run, 'gate.opened')
    await stack.workflow(run).terminate('forgotten')
    await stack.decide(run, 'ok', { decision: 'request_changes', comment: 'Bigger.' })
    await stack.untilEvent(run, 'gate.opened', 2)
    await stack.decide(run, 'ok')
    const end = await stack.untilStatus(run, 'completed')
    expect(end.phases).toMatchObject({ draft: { attempt: 2 }, review: { attempt: 2 }, ok: { attempt: 2 } })
  })

  test('is up to a later try where the phase that it goes back to fails', async () => {
    const script = {
      phases: { draft: { attempts: [[completing(NOTE)], [failing], [completing({ ...NOTE, size: 2 })]] } },
    }
    const phases = `
  - { id: draft, agent: { role: a, prompt: Write., produces: note } }
  - { id: ok, gate: { title: Go on?, allowChanges: draft } }
`
    const run = await stack.submit(flowTemplate(phases, { a: script }))
    await stack.untilEvent(run, 'gate.opened')
    await stack.decide(run, 'ok', { decision: 'request_changes', comment: 'Bigger.' })
    await stack.untilStatus(run, 'failed')
    await stack.command(run, 'retry')
    await stack.untilEvent(run, 'gate.opened', 2)
    await stack.decide(run, 'ok')
    const end = await stack.untilStatus(run, 'completed')
    expect(promptOf(end, 'draft', 3)).toContain('Bigger.')
  })

  test('leaves a gate that was cut off before it opened anew at its attempt, when the run is retried', async () => {
    const script = {
      phases: { draft: { attempts: [[completing(NOTE)], [failing], [completing({ ...NOTE, size: 2 })]] } },
    }
    const phases = `
  - id: both
    parallel:
      branches:
        - - { id: draft, agent: { role: a, prompt: Write., produces: note } }
          - { id: ok, gate: { title: Go on?, allowChanges: draft } }
`
    const run = await stack.submit(flowTemplate(phases, { a: script }))
    await stack.untilEvent(run, 'gate.opened')
    await stack.decide(run, 'ok', { decision: 'request_changes', comment: 'Bigger.' })
    const failed = await stack.untilStatus(run, 'failed')
    expect(failed.phases).toMatchObject({ draft: { attempt: 2 }, ok: { status: 'canceled', attempt: 2 } })
    await stack.command(run, 'retry')
    await stack.untilEvent(run, 'gate.opened', 2)
    await stack.decide(run, 'ok')
    const end = await stack.untilStatus(run, 'completed')
    expect(end.phases).toMatchObject({ draft: { attempt: 3 }, ok: { status: 'completed', attempt: 2 } })
  })
})
