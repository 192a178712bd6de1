import { describe, expect, test } from 'vitest'
import { eventOf, eventsOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack()

const UNTIL_INPUT = `until: '\${{ input.at }}'`

const waitTemplate = (...waits: string[]) => `
kind: template
id: wait@1
input: { type: object, properties: { at: { type: string } } }
phases:
${waits.map((wait, index) => `  - { id: w${index + 1}, wait: { ${wait} } }`).join('\n')}
output: '\${{ phases.w1.output }}'
`

describe.concurrent('a wait', () => {
  test('for a while lasts that long', async () => {
    const end = await stack.finish(waitTemplate('for: PT0.4S'))
    expect(end.status).toBe('completed')
    const [open, closed] = [eventOf(end, 'wait.opened'), eventOf(end, 'wait.closed')]
    expect(closed.data).toMatchObject({ reason: 'time' })
    expect(closed.at.getTime() - open.at.getTime()).toBeGreaterThanOrEqual(400)
  })

  test('until a time that the input names lasts until then, and not at all when it has passed', async () => {
    const at = new Date(Date.now() + 1_500)
    const text = waitTemplate(UNTIL_INPUT)
    const [later, past] = await Promise.all([
      stack.finish(text, { input: { at: at.toISOString() } }),
      stack.finish(text, { input: { at: '2020-01-01T00:00:00Z' } }),
    ])
    expect(eventOf(later, 'wait.closed').at.getTime()).toBeGreaterThanOrEqual(at.getTime())
    expect(past.status).toBe('completed')
  })

  test('until something that is no time fails its phase', async () => {
    const end = await stack.finish(waitTemplate(UNTIL_INPUT), { input: { at: 'soon' } })
    expect(end.error).toMatchObject({ kind: 'INVALID', code: 'invalid_time' })
  })

  test('for a signal takes the one that comes, with its data', async () => {
    const run = await stack.submit(waitTemplate('signal: go'))
    await stack.untilEvent(run, 'wait.opened')
    expect(await stack.signal(run, 'other', 's0')).toBe('done')
    expect(await stack.signal(run, 'go', 's1', { n: 1 })).toBe('done')
    expect(['unchanged', 'over']).toContain(await stack.signal(run, 'go', 's1', { n: 2 }))
    const end = await stack.untilStatus(run, 'completed')
    expect(end.output).toEqual({ n: 1 })
    expect(eventsOf(end, 'signal.received')).toHaveLength(2)
  })

  test('for a signal takes one that came before it, and each wait takes one of its own', async () => {
    const run = await stack.submit(waitTemplate('for: PT0.5S', 'signal: go', 'signal: go'))
    await stack.signal(run, 'go', 'first', 1)
    const waiting = await stack.until(run, ({ phases }) => phases.w3?.status === 'waiting')
    expect(waiting.phases.w2).toMatchObject({ status: 'completed', output: 1 })
    await stack.signal(run, 'go', 'second', 2)
    const end = await stack.untilStatus(run, 'completed')
    expect(end.phases.w3?.output).toBe(2)
  })
})
