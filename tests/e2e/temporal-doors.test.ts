import { TEMPORAL } from '@devflow/contracts'
import { WorkflowUpdateFailedError } from '@temporalio/client'
import { describe, expect, test } from 'vitest'
import { eventOf, eventsOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { gateTemplate, scriptedTemplate } from '../support/templates.ts'

const stack = useStack()

async function opened(rules = ''): Promise<string> {
  const run = await stack.submit(gateTemplate(rules))
  await stack.untilEvent(run, 'gate.opened')
  return run
}

const update = (run: string, command: object): Promise<string> =>
  stack.workflow(run).executeUpdate(TEMPORAL.updates.decideGate, { args: [command] })

const signal = (run: string, name: string, ...args: unknown[]): Promise<void> =>
  stack.workflow(run).signal(name, ...args)

/** Kind of the refusal. */
async function refusal(answer: Promise<unknown>): Promise<unknown> {
  const error = await answer.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(WorkflowUpdateFailedError)
  return ((error as Error).cause as { type?: unknown }).type
}

describe.concurrent('the update `decideGate`', () => {
  test('decides a gate and hears the answer; what is recorded says that it came through Temporal', async () => {
    const run = await opened()
    expect(await update(run, { gate: 'ok', decision: 'approve', actor: 'ann', comment: 'Fine.' })).toBe(
      'accepted',
    )
    const end = await stack.untilStatus(run, 'completed')
    expect(eventOf(end, 'gate.decided').data).toMatchObject({
      actor: 'ann',
      via: 'temporal',
      comment: 'Fine.',
    })
  })

  test('is refused with the kind of the error, and changes nothing', async () => {
    const run = await opened('approvers: ["principal:ann"], quorum: 1')
    expect(await refusal(update(run, { gate: 'other', decision: 'approve', actor: 'ann' }))).toBe('NOT_FOUND')
    expect(await refusal(update(run, { gate: 'ok', decision: 'approve', actor: 'bob' }))).toBe(
      'PERMISSION_DENIED',
    )
    expect(await refusal(update(run, { gate: 'ok', decision: 'maybe', actor: 'ann' }))).toBe('INVALID')
    expect(await refusal(update(run, { gate: 'ok', decision: 'approve' }))).toBe('INVALID')
    expect(await refusal(update(run, { gate: 'ok', decision: 'approve', actor: '' }))).toBe('INVALID')
    expect((await stack.standing(run)).types).not.toContain('gate.decided')
    await update(run, { gate: 'ok', decision: 'approve', actor: 'ann' })
    await stack.untilStatus(run, 'completed')
  })

  test('comes several at once, with signals and the API: each principal counts once', async () => {
    const run = await opened('quorum: 6, rejectQuorum: 6')
    await Promise.all([
      ...['a', 'b', 'c'].map((actor) => update(run, { gate: 'ok', decision: 'approve', actor })),
      ...['d', 'a'].map((actor) => signal(run, 'gateDecision', { gate: 'ok', decision: 'approve', actor })),
      stack.decide(run, 'ok', { actor: 'e' }),
      stack.decide(run, 'ok', { actor: 'b' }),
    ])
    const open = await stack.until(run, (standing) => eventsOf(standing, 'gate.decided').length === 5)
    expect(open.types).not.toContain('gate.closed')
    await update(run, { gate: 'ok', decision: 'approve', actor: 'f' })
    const end = await stack.untilStatus(run, 'completed')
    expect(
      eventsOf(end, 'gate.decided')
        .map(({ data }) => data.actor)
        .sort(),
    ).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  })

  test('is answered also while the run is woken again and again', async () => {
    const run = await opened()
    let answered = false
    const waking = (async () => {
      while (!answered) await stack.wake(run)
    })()
    try {
      expect(await update(run, { gate: 'ok', decision: 'approve', actor: 'ann' })).toBe('accepted')
    } finally {
      answered = true
      await waking
    }
    await stack.untilStatus(run, 'completed')
  })

  test('stores a comment that Postgres could not hold as it came, and none of our secrets', async () => {
    const run = await opened()
    await update(run, {
      gate: 'ok',
      decision: 'approve',
      actor: 'ann',
      comment: 'NUL \u0000, half \ud800, sk-or-v1-test-key',
    })
    const end = await stack.untilStatus(run, 'completed')
    expect(eventOf(end, 'gate.decided').data.comment).toBe('NUL \ufffd, half \ufffd, [secret]')
  })
})

describe.concurrent('the signal `gateDecision`', () => {
  test('decides a gate', async () => {
    const run = await opened()
    await signal(run, 'gateDecision', { gate: 'ok', decision: 'reject', actor: 'ann' })
    const end = await stack.untilStatus(run, 'failed')
    expect(eventOf(end, 'gate.decided').data).toMatchObject({
      actor: 'ann',
      decision: 'reject',
      via: 'temporal',
    })
  })

  test('that says nothing sensible is passed over, and the run goes on', async () => {
    const run = await opened()
    for (const nonsense of [
      undefined,
      null,
      'approve',
      {},
      { gate: 'ok', decision: 'maybe', actor: 'ann' },
      { gate: 'ok', decision: 'approve' },
      { gate: 'ok', decision: 'approve', actor: 5 },
    ])
      await signal(run, 'gateDecision', nonsense)
    await update(run, { gate: 'ok', decision: 'approve', actor: 'ann' })
    const end = await stack.untilStatus(run, 'completed')
    expect(eventsOf(end, 'gate.decided')).toHaveLength(1)
  })
})

describe.concurrent('the signals `pause` and `resume`', () => {
  test('pause and resume a run, with who and why where they say it', async () => {
    const run = await opened()
    await signal(run, 'pause', { actor: 'ann', reason: 'Lunch.' })
    await stack.untilStatus(run, 'paused')
    await signal(run, 'resume')
    const waiting = await stack.untilStatus(run, 'waiting')
    expect(eventOf(waiting, 'run.pausing').data).toMatchObject({
      actor: 'ann',
      reason: 'Lunch.',
      via: 'temporal',
    })
    expect(eventOf(waiting, 'run.resumed').data).toMatchObject({ actor: 'operator', via: 'temporal' })
    await stack.decide(run, 'ok')
    await stack.untilStatus(run, 'completed')
  })

  test('that carry nonsense still pause, and do not hold the run up', async () => {
    const run = await opened()
    await signal(run, 'pause', { actor: { name: 'ann' }, reason: 7 })
    await stack.untilStatus(run, 'paused')
    await signal(run, 'resume', 'now')
    await stack.untilStatus(run, 'waiting')
    await signal(run, 'pause', { actor: 'ann', reason: '\u0000' })
    await stack.untilStatus(run, 'paused')
    await signal(run, 'resume', null)
    await stack.decide(run, 'ok')
    await stack.untilStatus(run, 'completed')
  })
})

describe.concurrent('the Temporal UI', () => {
  // A concurrent test polls by the `expect` of its own.
  test('finds a run by what it does, and shows where it stands', async ({ expect }) => {
    const run = await stack.submit(
      scriptedTemplate({ turns: [{ reply: 'Done.' }] }, { then: '  - { id: ok, gate: { title: Go on? } }' }),
    )
    await stack.untilEvent(run, 'gate.opened')
    const handle = stack.workflow(run)
    // The log has the gate a moment before the workflow has heard of it, and Temporal's store a moment after that.
    await expect
      .poll(() => handle.query(TEMPORAL.queries.state), { timeout: 10_000 })
      .toEqual({ status: 'waiting', phase: 'ok', template: 'scripted@1' })
    await expect
      .poll(async () => (await handle.describe()).searchAttributes.DevflowStatus, { timeout: 10_000 })
      .toEqual(['waiting'])

    const shown = await handle.describe()
    expect(shown.searchAttributes).toMatchObject({
      DevflowRun: [run],
      DevflowTemplate: ['scripted@1'],
      DevflowTenant: ['default'],
      DevflowStatus: ['waiting'],
      DevflowPhase: ['ok'],
      DevflowPersona: ['player@1'],
    })
    expect(await shown.staticSummary()).toBe('Scripted work')
    expect(await shown.staticDetails()).toContain(run)

    const metadata = await handle.query<{
      currentDetails: string
      definition: { signalDefinitions: { name: string; description: string }[] }
    }>('__temporal_workflow_metadata')
    expect(metadata.currentDetails).toBe(
      '**Scripted work** is **waiting** at `ok` · 0.00 USD spent\n\nOpen gate: `ok`\n\n- `work` (agent): done\n- `ok` (gate): waiting for a decision',
    )
    const described = metadata.definition.signalDefinitions.filter(({ description }) => description)
    expect(described.map(({ name }) => name).sort()).toEqual(['gateDecision', 'pause', 'resume', 'wake'])

    await stack.decide(run, 'ok')
    await stack.untilStatus(run, 'completed')
    await handle.result()
    expect((await handle.describe()).searchAttributes).toMatchObject({ DevflowStatus: ['completed'] })
  })

  test('shows a run as failed that failed while its output was made', async () => {
    const run = await stack.submit(`${gateTemplate()}output: '\${{ phases.ok.output.decisions[7].actor }}'\n`)
    await stack.untilEvent(run, 'gate.opened')
    await stack.decide(run, 'ok')
    const end = await stack.untilStatus(run, 'failed')
    expect(end.error).toMatchObject({ kind: 'INVALID' })
    await stack.workflow(run).result()
    expect((await stack.workflow(run).describe()).searchAttributes).toMatchObject({
      DevflowStatus: ['failed'],
    })
  })
})
