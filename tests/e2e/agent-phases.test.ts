import { describe, expect, test } from 'vitest'
import { eventOf, eventsOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { agentTemplate, completing, looking, NOTE, scriptedTemplate } from '../support/templates.ts'

const stack = useStack()
const BAD_NOTE = { title: 'x', colour: 'red' }

describe.concurrent('an artifact', () => {
  test('that violates its schema is repaired in one turn that quotes the exact errors', async () => {
    const bad = JSON.stringify(BAD_NOTE)
    const run = await stack.submit(
      agentTemplate(`[turns=0] [[complete:${bad}]]`, { produces: true, phase: 'title: repaired' }),
    )
    // The stand-in repeats its part; the second time it must be told otherwise by us.
    const failed = await stack.untilStatus(run, 'failed')
    const rejected = eventsOf(failed, 'artifact.rejected')
    expect(rejected).toHaveLength(2)
    const errors = rejected[0]?.data.errors as { path: string; message: string }[]
    expect(errors.map(({ path }) => path)).toEqual(expect.arrayContaining(['title', 'size']))

    const requests = stack.fake.requests.filter(({ session }) => session.startsWith(run))
    expect(requests).toHaveLength(2)
    const asked = JSON.stringify(requests[1]?.body.messages)
    for (const { path, message } of errors) {
      expect(asked).toContain(JSON.stringify(message).slice(1, -1))
      expect(asked).toContain(path)
    }
    expect(failed.error).toMatchObject({ kind: 'INVALID', code: 'artifact_invalid' })
    expect(failed.phases.work?.error).toMatchObject({
      code: 'artifact_invalid',
      errors: rejected[1]?.data.errors,
    })
  })

  test('that is right after its repair is accepted', async () => {
    const end = await stack.finish(
      scriptedTemplate({ turns: [completing(BAD_NOTE), completing(NOTE)] }, { produces: true }),
    )
    expect(end.status).toBe('completed')
    expect(eventsOf(end, 'artifact.rejected')).toHaveLength(1)
    expect(eventOf(end, 'artifact.accepted').data).toMatchObject({ name: 'note', version: 1 })
  })

  test('feeds the phases after it, and the output', async () => {
    const end = await stack.finish(`
kind: template
id: chain@1
roles: { worker: { persona: player@1 } }
artifacts: { note: { schema: note@1 } }
phases:
  - { id: write, agent: { role: worker, prompt: Write., produces: note } }
  - { id: read, agent: { role: worker, prompt: 'Read \${{ artifacts.note.title }}.', inputs: [note] } }
output: { title: '\${{ artifacts.note.title }}', said: '\${{ phases.read.output.text }}' }
---
${JSON.stringify({
  kind: 'persona',
  id: 'player@1',
  model: {
    provider: 'scripted',
    name: 'p',
    script: { phases: { write: [completing(NOTE)], read: [{ reply: 'I have read it.' }] } },
  },
  tools: ['complete'],
})}
`)
    expect(end.output).toEqual({ title: NOTE.title, said: 'I have read it.' })
    const [, second] = eventsOf(end, 'turn.started')
    expect(JSON.stringify(second?.data.messages)).toContain(`Read ${NOTE.title}.`)
  })
})

describe.concurrent('a phase that makes no artifact', () => {
  test.each([
    ['a text', 'The answer.', 'The answer.'],
    ['anything else', { size: 1 }, '{"size":1}'],
  ])('is also ended by `complete` with %s', async (_, content, text) => {
    const end = await stack.finish(scriptedTemplate({ turns: [completing(content)] }))
    expect(end.error).toBe(null)
    expect(eventOf(end, 'phase.completed').data.output).toEqual({ text })
    expect(eventsOf(end, 'turn.completed')).toHaveLength(1)
  })

  test('is not by one that says nothing, which is told so', async () => {
    const end = await stack.finish(scriptedTemplate({ turns: [completing(''), { reply: 'Then so.' }] }))
    expect(eventOf(end, 'tool.completed').data).toMatchObject({ name: 'complete', ok: false })
    expect(eventOf(end, 'phase.completed').data.output).toEqual({ text: 'Then so.' })
  })
})

describe.concurrent('a phase', () => {
  test('whose `when` does not hold is skipped, and the run goes on', async () => {
    const end = await stack.finish(
      `
kind: template
id: when@1
input: { type: object, properties: { deep: { type: boolean } } }
phases:
  - { id: never, when: '\${{ input.deep }}', gate: { title: Deep enough? } }
  - { id: nap, when: '\${{ phases.never.output == null }}', wait: { for: PT0.01S } }
`,
      { input: { deep: false } },
    )
    expect(end.status).toBe('completed')
    expect(end.phases.never?.status).toBe('skipped')
    expect(end.phases.nap?.status).toBe('completed')
    expect(end.types).not.toContain('gate.opened')
  })

  test('that fails may be passed over by `onError: continue`', async () => {
    const end = await stack.finish(
      scriptedTemplate(
        { turns: [{ error: { code: 'no', message: 'No.' } }] },
        { phase: 'onError: continue', then: '  - { id: nap, wait: { for: PT0.01S } }' },
      ),
    )
    expect(end.status).toBe('completed')
    expect(end.phases.work).toMatchObject({ status: 'failed', error: { code: 'no' } })
    expect(end.phases.nap?.status).toBe('completed')
  })

  test('that never comes to an end fails at its turn limit', async () => {
    const text = scriptedTemplate({ turns: [looking] }).replace(
      '"name":"player"',
      '"name":"player","maxTurns":3',
    )
    const end = await stack.finish(text)
    expect(end.error).toMatchObject({ code: 'turn_limit' })
    expect(eventsOf(end, 'turn.completed')).toHaveLength(3)
  })

  test('fails at its timeout, also in the middle of a stream', async () => {
    const end = await stack.finish(
      agentTemplate(`[turns=0][chunks=100][chunkDelayMs=100] [[complete:"${'words '.repeat(100)}"]]`, {
        phase: 'timeout: PT0.5S',
      }),
    )
    expect(end.error).toMatchObject({ kind: 'TIMEOUT', code: 'phase_timeout' })
  })
})

describe.concurrent('a budget', () => {
  test('that blocks ends the run before the call it does not hold', async () => {
    const run = await stack.submit(agentTemplate('[turns=9]'), {
      budget: { limitMicroUsd: 1_500, onExceeded: 'block' },
    })
    const end = await stack.untilStatus(run, 'failed')
    expect(end.error).toMatchObject({ code: 'budget_exceeded' })
    expect(eventOf(end, 'budget.exceeded').data).toMatchObject({ scope: 'run', limitMicroUsd: 1_500 })
    const calls = stack.fake.requests.filter(({ session }) => session.startsWith(run))
    expect(calls.length).toBe(eventsOf(end, 'call.reserved').length)
    expect(calls.length).toBeGreaterThan(0)
    expect(calls.reduce((sum, { billedMicroUsd }) => sum + billedMicroUsd, 0)).toBeLessThanOrEqual(1_500)
  })

  test('that is exceeded is not tried again: it would not hold the call next time either', async () => {
    const end = await stack.finish(
      agentTemplate('[turns=9]', { phase: 'retry: { maxAttempts: 3, backoff: PT0.01S }' }),
      {
        budget: { limitMicroUsd: 1, onExceeded: 'block' },
      },
    )
    expect(end.error).toMatchObject({ code: 'budget_exceeded' })
    expect(end.types).not.toContain('phase.retried')
  })

  test('in money refuses a model nobody knows the price of', async () => {
    const text = agentTemplate('[turns=0]').replace('agent@1 } }', 'unpriced@1 } }')
    const end = await stack.finish(text, { budget: { limitMicroUsd: 1_000_000 } })
    expect(end.error).toMatchObject({ kind: 'INVALID', code: 'unpriced_model' })
    expect(end.types).not.toContain('call.reserved')
  })
})
