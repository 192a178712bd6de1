// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what expressions look like
import { readPhases } from '@devflow/db'
import { describe, expect, test } from 'vitest'
import { functionEntry } from '../support/functions.ts'
import { eventsOf, statusesOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { completing, failing, flowTemplate, looking, NOTE } from '../support/templates.ts'

const stack = useStack()

const two = (more = '', rules = '') => `
  - id: both
    parallel:
      branches:
        - [{ id: left, agent: { role: a, prompt: Write., produces: note } }]
        - [{ id: right, agent: { role: b, prompt: Write., produces: second } }, { id: after, wait: { for: PT0.01S } }]
      ${rules}
${more}`

const done = { turns: [looking, completing(NOTE)] }
const output = { both: '${{ phases.both.output }}' }
/** A turn that streams for long enough to be stopped in. */
const streaming = { reply: 'many words '.repeat(200), chunks: 2000, chunkDelayMs: 10 }
/** One that streams for four seconds, and completes. */
const slow = { ...completing(NOTE), reply: 'many words '.repeat(40), chunks: 400, chunkDelayMs: 10 }

describe('a parallel phase', () => {
  test('runs its branches at once, and its output is theirs', async () => {
    const end = await stack.finish(flowTemplate(two(), { a: done, b: done, output }))
    expect(end.error).toBe(null)
    expect(statusesOf(end)).toEqual({
      both: 'completed',
      left: 'completed',
      right: 'completed',
      after: 'completed',
    })
    expect(end.output).toEqual({ both: [NOTE, null] })
  })

  test('fails with the branch that failed, once the others have stopped; a retry keeps what was done', async () => {
    const a = { phases: { left: { attempts: [[looking, failing], done.turns] } } }
    const b = { phases: { right: [looking, slow] } }
    const run = await stack.submit(flowTemplate(two(), { a, b, output }))
    const failed = await stack.untilStatus(run, 'failed')
    expect(failed.error).toMatchObject({ code: 'overloaded', message: expect.stringContaining('left') })
    expect(statusesOf(failed)).toEqual({
      both: 'failed',
      left: 'failed',
      right: 'canceled',
      after: 'canceled',
    })
    const [started, broke, ended] = ['phase.started', 'phase.failed', 'run.failed'].map((type) =>
      failed.events.findLast((event) => event.type === type),
    )
    expect(
      started && ended && ended.at.getTime() - (eventsOf(failed, 'phase.failed')[0]?.at.getTime() ?? 0),
    ).toBeLessThan(2_000)
    expect(broke?.phase).toBe('both')

    await stack.command(run, 'retry')
    const end = await stack.untilStatus(run, 'completed')
    expect(end.output).toEqual({ both: [NOTE, null] })
    expect(end.phases.left?.attempt).toBe(2)
    // The session that was cut off went on where it was: no turn on record was called again.
    expect(end.phases.right?.attempt).toBe(1)
    const turns = end.events.filter(({ type, phase }) => type === 'turn.completed' && phase === 'right')
    expect(turns.map(({ turn }) => turn)).toEqual([1, 2])
  })

  test('goes on with the other branches where one may fail, and says so in its output', async () => {
    const end = await stack.finish(
      flowTemplate(two('', 'onError: continue'), { a: { turns: [failing] }, b: done, output }),
    )
    expect(end.status).toBe('completed')
    expect(statusesOf(end)).toMatchObject({ both: 'completed', left: 'failed', right: 'completed' })
  })

  test('is tried again as a whole by its own retry, its insides under ids of their own', async () => {
    const a = { phases: { left: [failing], 'left#2': done.turns } }
    const end = await stack.finish(
      flowTemplate(
        two().replace('- id: both', '- id: both\n    retry: { maxAttempts: 2, backoff: PT0.01S }'),
        {
          a,
          b: done,
          output,
        },
      ),
    )
    expect(end.error).toBe(null)
    expect(end.phases.both?.attempt).toBe(2)
    expect(statusesOf(end)).toMatchObject({ left: 'failed', 'left#2': 'completed', 'right#2': 'completed' })
    expect(end.output).toEqual({ both: [NOTE, null] })
  })

  test('has several gates open at once; the run waits only while nothing runs', async () => {
    const phases = `
  - id: both
    parallel:
      branches:
        - [{ id: one, gate: { title: One? } }]
        - [{ id: two, gate: { title: Two? } }, { id: work, agent: { role: a, prompt: Work. } }]
        - [{ id: early, agent: { role: b, prompt: Work. } }]
`
    const run = await stack.submit(flowTemplate(phases, { b: { turns: [{ reply: 'Hm.', delayMs: 300 }] } }))
    await stack.until(run, ({ types }) => types.filter((type) => type === 'gate.opened').length === 2)
    const waiting = await stack.untilStatus(run, 'waiting')
    expect(statusesOf(waiting)).toMatchObject({ one: 'waiting', two: 'waiting', early: 'completed' })
    expect(eventsOf(waiting, 'run.waiting').map(({ data }) => data.for)).toEqual([
      [
        { kind: 'gate', id: 'one' },
        { kind: 'gate', id: 'two' },
      ],
    ])
    await expect
      .poll(async () => (await stack.workflow(run).describe()).searchAttributes, { timeout: 10_000 })
      .toMatchObject({ DevflowStatus: ['waiting'], DevflowPhase: ['both'] })
    await stack.decide(run, 'two')
    const later = await stack.untilEvent(run, 'run.waiting', 2)
    expect(statusesOf(later)).toMatchObject({ one: 'waiting', two: 'completed', work: 'completed' })
    await stack.decide(run, 'one')
    expect((await stack.untilStatus(run, 'completed', 'failed')).status).toBe('completed')
  })

  test('pauses when the turns under way are done, and goes on with all branches', async () => {
    const turns = [{ ...looking, reply: 'words '.repeat(20), chunks: 30, chunkDelayMs: 10 }, completing(NOTE)]
    const run = await stack.submit(flowTemplate(two(), { a: { turns }, b: { turns }, output }))
    await stack.untilEvent(run, 'call.reserved', 2)
    await stack.command(run, 'pause')
    const paused = await stack.untilEvent(run, 'run.paused')
    expect(eventsOf(paused, 'turn.completed')).toHaveLength(2)
    expect(paused.status).toBe('paused')
    await stack.command(run, 'resume')
    const end = await stack.untilStatus(run, 'completed', 'failed')
    expect(end.output).toEqual({ both: [NOTE, null] })
    expect(eventsOf(end, 'turn.completed')).toHaveLength(4)
  })

  test('stops all its sessions within two seconds when the run is canceled', async () => {
    const script = { turns: [streaming] }
    const run = await stack.submit(flowTemplate(two(), { a: script, b: script }))
    await stack.untilEvent(run, 'call.reserved', 2)
    const metadata = await stack
      .workflow(run)
      .query<{ currentDetails: string }>('__temporal_workflow_metadata')
    expect(metadata.currentDetails).toContain(
      '- `both` (parallel): running, 2 of 2\n  - `left/1`\n  - `right/1`',
    )
    const asked = performance.now()
    await stack.command(run, 'cancel')
    const end = await stack.untilStatus(run, 'canceled')
    expect(performance.now() - asked).toBeLessThan(2_000)
    expect(eventsOf(end, 'call.lost').map(({ data }) => data.status)).toEqual(['aborted', 'aborted'])
  })

  test('leaves no session that may still write when it closes, whatever kind it is of', async () => {
    const phases = `
  - id: both
    parallel:
      branches:
        - [{ id: call, function: { name: fn@1 } }]
        - [{ id: write, agent: { role: a, prompt: Write. } }]
        - [{ id: ok, gate: { title: Go on? } }]
    onError: continue
  - { id: last, gate: { title: Done? } }
`
    const template = flowTemplate(phases, { a: { turns: [streaming] } })
    const endless = JSON.stringify(functionEntry('export default function () { for (;;) {} }'))
    const run = await stack.submit(`${template}\n---\n${endless}`)
    await stack.untilEvent(run, 'function.started')
    await stack.untilEvent(run, 'call.reserved')
    await stack.decide(run, 'ok', { decision: 'reject' })
    const on = await stack.untilEvent(run, 'gate.opened', 2)
    expect(statusesOf(on)).toMatchObject({ call: 'canceled', write: 'canceled', last: 'waiting' })
    // A worker that was frozen while it had them, and wakes now, has an epoch that is over.
    const { rows } = await stack.pool.query(
      'select session, epoch from devflow.sessions where run_id = $1 order by session',
      [run],
    )
    expect(rows).toEqual([
      { session: 'call/1', epoch: 2 },
      { session: 'write/1', epoch: 2 },
    ])
    await stack.decide(run, 'last')
    expect((await stack.untilStatus(run, 'completed', 'failed')).error).toBe(null)
  })

  test('does not outlast its timeout', async () => {
    const rules = two().replace('- id: both', '- id: both\n    timeout: PT0.3S')
    const end = await stack.finish(flowTemplate(rules, { a: done, b: { turns: [streaming] } }))
    expect(end.error).toMatchObject({ kind: 'TIMEOUT', code: 'phase_timeout' })
    expect(statusesOf(end)).toMatchObject({ both: 'failed', right: 'canceled' })
  })
})

describe('parallel in map in cycle', () => {
  test('is nested freely; every id says where it is', async () => {
    const phases = `
  - id: loop
    cycle:
      max: 2
      phases:
        - id: each
          map:
            over: [x, y]
            phases:
              - id: both
                parallel:
                  branches:
                    - [{ id: left, agent: { role: a, prompt: "\${{ item }} \${{ index }} \${{ iteration }}" } }]
                    - [{ id: right, when: "\${{ item == 'x' }}", wait: { for: PT0.001S } }]
`
    const run = await stack.submit(flowTemplate(phases, { output: { all: '${{ phases.loop.output }}' } }))
    const end = await stack.untilStatus(run, 'completed', 'failed')
    expect(end.error).toBe(null)
    const items = (name: string) => ['#1[0]', '#1[1]', '#2[0]', '#2[1]'].map((mark) => name + mark)
    expect(Object.keys(statusesOf(end)).sort()).toEqual(
      ['loop', 'each#1', 'each#2', ...items('both'), ...items('left'), ...items('right')].sort(),
    )
    expect(statusesOf(end)).toMatchObject({ 'right#2[0]': 'completed', 'right#2[1]': 'skipped' })
    const text = { text: 'Done.' }
    expect(end.output).toEqual({
      all: [
        [text, null],
        [text, null],
      ],
    })
    const prompts = eventsOf(end, 'turn.started').map(
      ({ phase, data }) => [phase, JSON.stringify(data.messages)] as const,
    )
    expect(Object.fromEntries(prompts)['left#2[1]']).toContain('y 1 2')
    const { items: listed } = await readPhases(stack.pool, run, { limit: 500 })
    expect(listed.map(({ id }) => id).slice(0, 4)).toEqual(['loop', 'each#1', 'both#1[0]', 'left#1[0]'])
  })
})
