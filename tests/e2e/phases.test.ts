import { describe, expect, test } from 'vitest'
import { eventOf, eventsOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack()

describe.concurrent('phases', () => {
  test('a gate alone opens, is approved, and the run completes', async () => {
    const run = await stack.submit(`
kind: template
id: gate-only@1
phases:
  - id: ok
    gate: { title: Go on? }
`)
    await stack.untilEvent(run, 'gate.opened')
    expect(await stack.decide(run, 'ok')).toBe('accepted')
    const end = await stack.untilStatus(run, 'completed')
    expect(eventOf(end, 'gate.closed').data).toMatchObject({ status: 'approved', by: 'decision' })
  })
})
