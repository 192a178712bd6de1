import { publishEvent } from '@devflow/db'
import { expect, test } from 'vitest'
import { eventOf, eventsOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack()

const template = (phases: string) => `
kind: template
id: events@1
input: { type: object, properties: { order: { type: integer } } }
phases:
${phases}
`
const PAID = `wait: { event: orders.*, match: '\${{ event.data.order == input.order && event.data.total > 10 }}' }`
let count = 0
const publish = async (topic: string, data: unknown) => {
  count += 1
  const event = { topic, id: `e${count}`, data: data as never, actor: 'owner' }
  return await publishEvent(stack.pool, 'default', event)
}
const outboxOf = async (run: string) =>
  (await stack.pool.query({ text: 'select 1 from devflow.outbox where run_id = $1', values: [run] })).rowCount

test('a wait takes the event that matches, whatever else is published, and only that one wakes its run', async () => {
  const run = await stack.submit(template(`  - { id: paid, ${PAID} }`), { input: { order: 17 } })
  const open = await stack.untilEvent(run, 'wait.opened')
  expect(eventOf(open, 'wait.opened').data).toEqual({ event: 'orders.*', filter: { data: { order: 17 } } })
  await publish('bills.paid', { order: 17, total: 20 })
  await publish('orders.paid', { order: 18, total: 20 })
  await publish('orders.paid', 'no object at all')
  expect(await outboxOf(run)).toBe(0)
  await publish('orders.paid', { order: 17, total: 5 })
  await publish('orders.paid', { order: 17, total: 20, note: 'yes' })
  await publish('orders.paid', { order: 17, total: 30 })
  const end = await stack.untilStatus(run, 'completed')
  expect(end.phases.paid?.output).toEqual({ order: 17, total: 20, note: 'yes' })
  expect(eventOf(end, 'wait.closed').data).toMatchObject({ reason: 'event', event: 'orders.paid' })
})

test('an event that came after the submission and before its wait counts, and for one wait alone', async () => {
  await publish('orders.early', { order: 3, total: 99 })
  const run = await stack.submit(
    template(`  - { id: before, wait: { signal: go } }
  - { id: first, wait: { event: orders.early } }
  - { id: second, wait: { event: orders.early }, timeout: PT1S, onError: continue }`),
  )
  await publish('orders.early', 1)
  await stack.signal(run, 'go', 's1')
  const end = await stack.untilStatus(run, 'completed')
  expect(end.phases.first?.output).toBe(1)
  expect(end.phases.second).toMatchObject({ status: 'failed', error: { code: 'phase_timeout' } })
})

test('waits side by side take an event each', async () => {
  const run = await stack.submit(
    template(`  - id: both
    parallel:
      branches:
        - [{ id: a, wait: { event: orders.beside } }]
        - [{ id: b, wait: { event: orders.beside } }]`),
  )
  await stack.until(run, (state) => eventsOf(state, 'wait.opened').length === 2)
  await publish('orders.beside', 1)
  await stack.until(run, (state) => eventsOf(state, 'wait.closed').length === 1)
  await publish('orders.beside', 2)
  const end = await stack.untilStatus(run, 'completed')
  expect([end.phases.a?.output, end.phases.b?.output].sort()).toEqual([1, 2])
})
