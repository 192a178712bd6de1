// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what expressions look like
import { describe, expect, test } from 'vitest'
import { eventsOf, statusesOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { failing, flowTemplate } from '../support/templates.ts'

const stack = useStack()

describe('rules that every kind has', () => {
  test('retry: a gate is asked again, a wait is waited for again, a cycle begins anew', async () => {
    const phases = `
  - { id: ok, gate: { title: Go on? }, retry: { maxAttempts: 2, backoff: PT0.01S } }
  - { id: late, wait: { signal: never }, timeout: PT0.05S, retry: { maxAttempts: 2, backoff: PT0.01S }, onError: continue }
  - id: loop
    cycle: { max: 2, until: false, phases: [{ id: nap, wait: { for: PT0.01S } }] }
    retry: { maxAttempts: 2, backoff: PT0.01S }
    onError: continue
`
    const run = await stack.submit(flowTemplate(phases))
    await stack.untilEvent(run, 'gate.opened')
    await stack.decide(run, 'ok', { decision: 'reject' })
    await stack.untilEvent(run, 'gate.opened', 2)
    await stack.decide(run, 'ok')
    const end = await stack.untilStatus(run, 'completed', 'failed')
    expect(end.error).toBe(null)
    expect(end.phases).toMatchObject({
      ok: { status: 'completed', attempt: 2 },
      late: { status: 'failed', attempt: 2 },
      loop: { status: 'failed', attempt: 2, error: { code: 'cycle_exhausted' } },
    })
    expect(
      Object.keys(statusesOf(end))
        .filter((id) => id.startsWith('nap'))
        .sort(),
    ).toEqual(['nap#1', 'nap#2', 'nap#2#1', 'nap#2#2'])
  })

  test('timeout: of a gate, of a wait, of what is inside others', async () => {
    const phases = `
  - { id: ok, gate: { title: Go on?, deadline: P1D }, timeout: PT0.1S, onError: continue }
  - { id: nap, wait: { for: PT1H }, timeout: PT0.1S, onError: continue }
  - { id: both, parallel: { branches: [[{ id: in, gate: { title: In?, deadline: P1D } }], [{ id: slow, wait: { for: PT1H } }]] }, timeout: PT0.2S, onError: continue }
`
    const end = await stack.finish(flowTemplate(phases))
    expect(end.status).toBe('completed')
    for (const id of ['ok', 'nap', 'both']) expect(end.phases[id]?.error?.code, id).toBe('phase_timeout')
    expect(statusesOf(end)).toMatchObject({ in: 'canceled', slow: 'canceled' })
    expect(eventsOf(end, 'gate.closed').map(({ data }) => [data.gate, data.status])).toEqual([
      ['ok', 'expired'],
      ['in', 'canceled'],
    ])
  })

  test('when: what holds others is skipped with all of it', async () => {
    const phases = `
  - { id: both, when: false, parallel: { branches: [[{ id: a, wait: { for: PT1H } }]] } }
  - { id: each, when: "\${{ input.n > 1 }}", map: { over: "\${{ input.nothing }}", phases: [{ id: b, wait: { for: PT1H } }] } }
`
    const output = { both: '${{ phases.both.output }}', each: '${{ phases.each.output }}' }
    const end = await stack.finish(flowTemplate(phases, { output }), { input: { n: 1 } })
    expect(statusesOf(end)).toEqual({ both: 'skipped', each: 'skipped' })
    expect(end.output).toEqual({ both: null, each: null })
  })

  test('when: of what was skipped with all of it, each phase is pending and has no output, however deep', async () => {
    const phases = `
  - { id: both, when: false, parallel: { branches: [[{ id: a, parallel: { branches: [[{ id: b, wait: { for: PT1H } }]] } }]] } }
  - { id: nap, when: "\${{ phases.b.status == 'pending' && phases.b.output == null && phases.a.status == 'pending' }}", wait: { for: PT0.01S } }
`
    const end = await stack.finish(flowTemplate(phases))
    expect(end.error).toBe(null)
    expect(statusesOf(end)).toEqual({ both: 'skipped', nap: 'completed' })
  })

  test('onError: a map that may fail, fails alone', async () => {
    const phases = `
  - { id: each, onError: continue, map: { over: [1, 2, 3], concurrency: 1, phases: [{ id: work, agent: { role: a, prompt: x } }] } }
  - { id: nap, wait: { for: PT0.01S } }
`
    const end = await stack.finish(
      flowTemplate(phases, { a: { phases: { 'work[0]': [{ reply: 'Fine.' }], 'work[1]': [failing] } } }),
    )
    expect(end.status).toBe('completed')
    expect(statusesOf(end)).toEqual({
      each: 'failed',
      'work[0]': 'completed',
      'work[1]': 'failed',
      nap: 'completed',
    })
  })
})

describe('gates inside others', () => {
  test('are open side by side, one of each item, and decided by their ids', async () => {
    const phases = `
  - id: each
    map: { over: [x, y, z], phases: [{ id: ok, gate: { title: "Take \${{ item }}?" } }] }
`
    const run = await stack.submit(
      flowTemplate(phases, { output: { all: '${{ phases.each.output.map(o, o.status) }}' } }),
    )
    const open = await stack.untilStatus(run, 'waiting')
    expect(eventsOf(open, 'gate.opened').map(({ data }) => data.title)).toEqual([
      'Take x?',
      'Take y?',
      'Take z?',
    ])
    for (const item of [2, 0, 1]) expect(await stack.decide(run, `ok[${item}]`)).toBe('accepted')
    const end = await stack.untilStatus(run, 'completed', 'failed')
    expect(end.output).toEqual({ all: ['approved', 'approved', 'approved'] })
  })

  test('may end the run well: what else runs is stopped first', async () => {
    const phases = `
  - id: both
    parallel:
      branches:
        - [{ id: ok, gate: { title: Go on?, onReject: end } }]
        - [{ id: work, agent: { role: a, prompt: x } }]
  - { id: after, wait: { for: PT1H } }
`
    const long = { turns: [{ reply: 'many words '.repeat(200), chunks: 2000, chunkDelayMs: 10 }] }
    const run = await stack.submit(flowTemplate(phases, { a: long }))
    await stack.untilEvent(run, 'call.reserved')
    await stack.untilEvent(run, 'gate.opened')
    await stack.decide(run, 'ok', { decision: 'reject' })
    const end = await stack.untilStatus(run, 'completed', 'failed')
    expect(end.status).toBe('completed')
    expect(statusesOf(end)).toEqual({
      both: 'completed',
      ok: 'completed',
      work: 'canceled',
      after: 'pending',
    })
    expect(eventsOf(end, 'call.lost').map(({ data }) => data.status)).toEqual(['aborted'])
  })

  test('are decided while the run is paused, and count when it goes on', async () => {
    const phases = `
  - { id: both, parallel: { branches: [[{ id: ok, gate: { title: Go on? } }, { id: work, agent: { role: a, prompt: x } }], [{ id: other, gate: { title: And? } }]] } }
`
    const run = await stack.submit(flowTemplate(phases))
    await stack.untilStatus(run, 'waiting')
    await stack.command(run, 'pause')
    await stack.untilEvent(run, 'run.paused')
    await stack.decide(run, 'ok')
    await stack.decide(run, 'other')
    expect(statusesOf(await stack.standing(run))).toMatchObject({ both: 'running', work: 'pending' })
    await stack.command(run, 'resume')
    expect(statusesOf(await stack.untilStatus(run, 'completed', 'failed'))).toMatchObject({
      work: 'completed',
    })
  })
})
