import { expect, test } from 'vitest'
import { eventOf, eventsOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { gateTemplate } from '../support/templates.ts'

const stack = useStack()

test.concurrent('an open gate reminds again and again, until it is decided', async () => {
  const run = await stack.submit(
    gateTemplate('remindEvery: PT1S, approvers: ["principal:ann"], deadline: P1D'),
  )
  await stack.untilEvent(run, 'gate.reminded', 2)
  await stack.decide(run, 'ok', { actor: 'ann' })
  const end = await stack.untilStatus(run, 'completed')
  const opened = eventOf(end, 'gate.opened')
  const reminders = eventsOf(end, 'gate.reminded')
  expect(reminders.slice(0, 2).map(({ data }) => [data.nth, data.to, data.title])).toEqual([
    [1, ['principal:ann'], 'Go on?'],
    [2, ['principal:ann'], 'Go on?'],
  ])
  for (const [index, { at }] of reminders.entries())
    expect(at.getTime() - opened.at.getTime()).toBeGreaterThanOrEqual(1_000 * (index + 1))
  expect(end.types.indexOf('gate.reminded')).toBeLessThan(end.types.indexOf('gate.closed'))
})

test.concurrent('a chain of escalations adds approvers step by step, and then does what is said', async () => {
  const chain =
    'escalateTo: [{ to: ["principal:bob"] }, { to: ["principal:cyd"], after: PT0.4S }], after: PT0.2S, then: approve'
  const run = await stack.submit(
    gateTemplate(`approvers: ["principal:ann"], quorum: 1, deadline: PT0.2S, onDeadline: { ${chain} }`),
  )
  const end = await stack.untilStatus(run, 'completed')
  const [bob, cyd] = eventsOf(end, 'gate.escalated')
  expect([bob?.data, cyd?.data]).toMatchObject([
    { to: ['principal:bob'], step: 1, deadline: 'PT0.2S' },
    { to: ['principal:cyd'], step: 2, deadline: 'PT0.4S' },
  ])
  const expired = eventOf(end, 'gate.expired')
  expect(expired.at.getTime() - Number(cyd?.at.getTime())).toBeGreaterThanOrEqual(400)
  expect(eventOf(end, 'gate.closed').data).toMatchObject({ status: 'approved', by: 'deadline' })
})

test.concurrent('a deadline of ten years is a timer of ten years, counted from the log after an upgrade too', async () => {
  const run = await stack.submit(gateTemplate('deadline: P10Y, onDeadline: { then: reject }'))
  await stack.untilEvent(run, 'gate.opened')
  const { rows } = await stack.pool.query<{ years: number }>(
    'select extract(epoch from deadline - opened_at) / 86400 / 365.25 as years from devflow.gates where run_id = $1',
    [run],
  )
  expect(Number(rows[0]?.years)).toBeCloseTo(10, 1)
  const timers = async () => {
    const { events } = await stack.workflow(run).fetchHistory()
    return (events ?? []).flatMap(({ timerStartedEventAttributes: timer }) =>
      timer ? [Number(timer.startToFireTimeout?.seconds) / 86_400 / 365.25] : [],
    )
  }
  await expect.poll(async () => (await timers()).at(-1), { timeout: 10_000 }).toBeCloseTo(10, 1)
  // Woken for nothing, it looks at the log and waits as long as is left.
  await stack.wake(run)
  await expect.poll(async () => (await timers()).length, { timeout: 10_000 }).toBe(2)
  expect((await timers()).at(-1)).toBeCloseTo(10, 1)
  await stack.decide(run, 'ok')
  await stack.untilStatus(run, 'completed')
})
