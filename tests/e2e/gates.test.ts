import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { eventOf, eventsOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { gateTemplate } from '../support/templates.ts'

const stack = useStack()

async function opened(rules = ''): Promise<string> {
  const run = await stack.submit(gateTemplate(rules))
  await stack.untilEvent(run, 'gate.opened')
  return run
}

describe.concurrent('a gate', () => {
  test('that is approved lets the run go on, with who decided on record', async () => {
    const run = await opened()
    expect(await stack.decide(run, 'ok', { actor: 'ann', comment: 'Fine.' })).toBe('accepted')
    const end = await stack.untilStatus(run, 'completed')
    expect(eventOf(end, 'gate.decided').data).toMatchObject({
      actor: 'ann',
      decision: 'approve',
      comment: 'Fine.',
      implied: true,
      via: 'api',
    })
    expect(end.phases.ok?.output).toEqual({
      status: 'approved',
      decisions: [{ actor: 'ann', decision: 'approve', comment: 'Fine.' }],
    })
  })

  test('that is rejected fails the run', async () => {
    const run = await opened()
    await stack.decide(run, 'ok', { decision: 'reject' })
    const end = await stack.untilStatus(run, 'failed')
    expect(end.error).toMatchObject({ kind: 'CONFLICT', code: 'gate_rejected' })
  })

  test('that is rejected ends the run well where its template says so', async () => {
    const run = await stack.submit(`${gateTemplate('onReject: end')}  - { id: never, wait: { for: PT1H } }\n`)
    await stack.untilEvent(run, 'gate.opened')
    await stack.decide(run, 'ok', { decision: 'reject' })
    const end = await stack.untilStatus(run, 'completed')
    expect(end.phases.never?.status).toBe('pending')
    expect(end.phases.ok?.output).toMatchObject({ status: 'rejected' })
  })

  test('opens again when a run that it failed is retried', async () => {
    const run = await opened()
    await stack.decide(run, 'ok', { decision: 'reject' })
    await stack.untilStatus(run, 'failed')
    await stack.command(run, 'retry')
    await stack.untilEvent(run, 'gate.opened', 2)
    expect(await stack.decide(run, 'ok')).toBe('accepted')
    const end = await stack.untilStatus(run, 'completed')
    expect(end.phases.ok?.attempt).toBe(2)
  })

  test('with a quorum of two waits for the second principal', async () => {
    const run = await opened('quorum: 2')
    expect(await stack.decide(run, 'ok', { actor: 'ann' })).toBe('accepted')
    expect(await stack.decide(run, 'ok', { actor: 'ann' })).toBe('repeated')
    expect(await stack.decide(run, 'ok', { actor: 'ann', decision: 'reject' })).toBe('decided_otherwise')
    expect((await stack.standing(run)).types).not.toContain('gate.closed')
    expect(await stack.decide(run, 'ok', { actor: 'bob' })).toBe('accepted')
    const end = await stack.untilStatus(run, 'completed')
    expect(eventsOf(end, 'gate.decided').map(({ data }) => data.actor)).toEqual(['ann', 'bob'])
  })

  test('decided by many at once counts each principal once and closes once', async () => {
    const run = await opened('quorum: 3, rejectQuorum: 3')
    const says = Array.from(
      { length: 12 },
      (_, n) => ({ actor: `p${n % 6}`, decision: n % 2 === 0 ? 'approve' : 'reject' }) as const,
    )
    const answers = await Promise.all(says.map((say) => stack.decide(run, 'ok', say)))
    const end = await stack.untilStatus(run, 'completed', 'failed')
    const accepted = answers.filter((answer) => answer === 'accepted').length
    expect(eventsOf(end, 'gate.decided')).toHaveLength(accepted)
    expect(eventsOf(end, 'gate.closed')).toHaveLength(1)
    const status = eventOf(end, 'gate.closed').data.status
    const winners = eventsOf(end, 'gate.decided').filter(
      ({ data }) => (data.decision === 'approve') === (status === 'approved'),
    )
    expect(winners).toHaveLength(3)
    expect(end.status).toBe(status === 'approved' ? 'completed' : 'failed')
  })

  test('refuses who is not among its approvers, and goes on waiting', async () => {
    const run = await opened('approvers: ["principal:ann"]')
    expect(await stack.decide(run, 'ok', { actor: 'owner' })).toBe('not_approver')
    expect(await stack.decide(run, 'ok', { actor: 'bob' })).toBe('not_approver')
    expect(await stack.decide(run, 'ok', { actor: 'ann' })).toBe('accepted')
    const end = await stack.untilStatus(run, 'completed')
    expect(eventsOf(end, 'gate.decided')).toHaveLength(1)
  })

  test('that lets nobody approve their own work refuses whoever submitted the run', async () => {
    const run = await opened('notAuthors: true')
    expect(await stack.decide(run, 'ok', { actor: 'owner' })).toBe('is_author')
    expect(await stack.decide(run, 'ok', { actor: 'ann' })).toBe('accepted')
    const end = await stack.untilStatus(run, 'completed')
    expect(eventOf(end, 'gate.decided').data.actor).toBe('ann')
  })

  test('that wants to know what was looked at refuses a decision without its hash, or with another', async () => {
    const run = await opened('requireSubjectHash: true')
    const { subjectHash } = eventOf(await stack.standing(run), 'gate.opened').data
    expect(await stack.decide(run, 'ok')).toBe('hash_required')
    expect(await stack.decide(run, 'ok', { subjectHash: 'f'.repeat(64) })).toBe('subject_changed')
    expect(await stack.decide(run, 'ok', { subjectHash: String(subjectHash) })).toBe('accepted')
    await stack.untilStatus(run, 'completed')
  })

  test('answers what comes late or unknown, and repeats, after its end too', async () => {
    const run = await opened()
    expect(await stack.decide(run, 'other')).toBe('unknown_gate')
    await stack.decide(run, 'ok', { actor: 'ann' })
    await stack.untilStatus(run, 'completed')
    expect(await stack.decide(run, 'ok', { actor: 'ann' })).toBe('repeated')
    expect(await stack.decide(run, 'ok', { actor: 'bob' })).toBe('closed')
  })
})

describe.concurrent('a deadline', () => {
  const cases = [
    ['approve', 'completed', 'approved', undefined],
    ['reject', 'failed', 'rejected', 'gate_rejected'],
    ['fail', 'failed', 'expired', 'gate_expired'],
  ] as const
  test.for(cases)('that passes does what the gate says: %s', async ([then, status, outcome, code]) => {
    const end = await stack.finish(gateTemplate(`deadline: PT0.3S, onDeadline: { then: ${then} }`))
    expect(end.status).toBe(status)
    expect(eventOf(end, 'gate.closed').data).toMatchObject({ status: outcome, by: 'deadline' })
    if (code !== undefined) expect(end.error?.code).toBe(code)
    const [open, expired] = [eventOf(end, 'gate.opened'), eventOf(end, 'gate.expired')]
    expect(expired.at.getTime() - open.at.getTime()).toBeGreaterThanOrEqual(300)
  })

  test('first escalates where the gate says so: others may decide, for as long again', async () => {
    const run = await opened(
      'approvers: ["principal:ann"], deadline: PT0.3S, onDeadline: { escalateTo: [owner], after: PT1H, then: reject }',
    )
    expect(await stack.decide(run, 'ok')).toBe('not_approver')
    await stack.untilEvent(run, 'gate.escalated')
    expect(await stack.decide(run, 'ok')).toBe('accepted')
    await stack.untilStatus(run, 'completed')
  })

  test('after an escalation closes the gate', async () => {
    const end = await stack.finish(
      gateTemplate('deadline: PT0.2S, onDeadline: { escalateTo: [owner], after: PT0.3S, then: reject }'),
    )
    expect(end.error?.code).toBe('gate_rejected')
    const [escalated, expired] = [eventOf(end, 'gate.escalated'), eventOf(end, 'gate.expired')]
    expect(expired.at.getTime() - escalated.at.getTime()).toBeGreaterThanOrEqual(300)
  })

  test('that races a decision leaves exactly one outcome, and the answers agree with it', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 16 }, async (_, n) => {
        const run = await opened('deadline: PT1S, onDeadline: { then: fail }')
        const { at } = eventOf(await stack.standing(run), 'gate.opened')
        // From 24 ms before the deadline to as much after it.
        await pause(at.getTime() + 1_000 - 24 + n * 3 - Date.now())
        const answer = await stack.decide(run, 'ok')
        const end = await stack.untilStatus(run, 'completed', 'failed')
        expect(eventsOf(end, 'gate.closed')).toHaveLength(1)
        const { status } = eventOf(end, 'gate.closed').data
        expect([answer, status, end.status]).toEqual(
          answer === 'accepted' ? ['accepted', 'approved', 'completed'] : ['closed', 'expired', 'failed'],
        )
        expect(eventsOf(end, 'gate.decided')).toHaveLength(answer === 'accepted' ? 1 : 0)
        return answer
      }),
    )
    expect(new Set(outcomes)).toEqual(new Set(['accepted', 'closed']))
  })
})
