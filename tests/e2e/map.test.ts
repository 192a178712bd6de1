// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what expressions look like
import { describe, expect, test } from 'vitest'
import { eventsOf, statusesOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { completing, failing, flowTemplate, NOTE } from '../support/templates.ts'

const stack = useStack()

const quick = [{ reply: 'Done.' }]

/** How many items were at work at most, by the order of the log. */
function mostAtOnce(events: { type: string; phase: string | null }[], name: string): number {
  let now = 0
  let most = 0
  for (const { type, phase } of events) {
    if (!phase?.startsWith(`${name}[`)) continue
    if (type === 'phase.started') now += 1
    if (type === 'phase.completed') now -= 1
    most = Math.max(most, now)
  }
  return most
}

describe('a map', () => {
  test('works on each item, some at a time; each has its own artifact, and the outputs stand in order', async () => {
    const phases = `
  - id: each
    map:
      over: \${{ input.words }}
      as: word
      concurrency: 2
      phases:
        - { id: write, agent: { role: a, prompt: "Write of \${{ word }}, \${{ index }}.", produces: note } }
        - { id: check, agent: { role: b, prompt: "Of \${{ word }}: \${{ artifacts.note.title }}", inputs: [note], produces: second } }
`
    const written = (title: string, chunks: number) => [
      { ...completing({ title, size: 1 }), chunks, chunkDelayMs: 5 },
    ]
    const end = await stack.finish(
      flowTemplate(phases, {
        a: {
          phases: {
            'write[0]': written('zero', 20),
            'write[1]': written('one', 1),
            'write[2]': written('two', 1),
          },
        },
        b: { turns: [completing(NOTE)] },
        output: { all: '${{ phases.each.output }}', n: '${{ size(phases.each.output) }}' },
      }),
      { input: { words: ['nought', 'ein', 'zwei'] } },
    )
    expect(end.error).toBe(null)
    expect(end.output).toEqual({ all: [NOTE, NOTE, NOTE], n: 3 })
    expect(mostAtOnce(end.events, 'write')).toBeLessThanOrEqual(2)
    const prompts = end.events
      .filter(({ type, turn }) => type === 'turn.started' && turn === 1)
      .map(({ phase, data }) => [phase, JSON.stringify(data.messages)] as const)
    const said = Object.fromEntries(prompts)
    expect(said['write[2]']).toContain('Write of zwei, 2.')
    expect(said['check[0]']).toContain('Of nought: zero')
    expect(said['check[1]']).toContain('Of ein: one')
    const { rows } = await stack.pool.query(
      'select name, version from devflow.artifacts where run_id = $1 and phase is not null order by name',
      [end.id],
    )
    expect(rows.map(({ name, version }) => `${name} ${version}`)).toEqual(
      ['note', 'second'].flatMap((name) => [0, 1, 2].map((item) => `${name}[${item}] 1`)),
    )
  })

  test('of nothing is done at once, with an empty list', async () => {
    const end = await stack.finish(
      flowTemplate('  - { id: each, map: { over: [], phases: [{ id: nap, wait: { for: PT1H } }] } }', {
        output: { all: '${{ phases.each.output }}' },
      }),
    )
    expect(end.output).toEqual({ all: [] })
  })

  test('that is over no list fails and says so', async () => {
    const end = await stack.finish(
      flowTemplate(
        '  - { id: each, map: { over: "${{ input.n }}", phases: [{ id: nap, wait: { for: PT1H } }] } }',
      ),
      { input: { n: 3 } },
    )
    expect(end.error).toMatchObject({ code: 'invalid_items', kind: 'INVALID' })
  })

  test('passes over an item whose phase may fail, and fails with one that may not', async () => {
    const phases = (rule: string) =>
      `  - { id: each, map: { over: [1, 2], phases: [{ id: work, agent: { role: a, prompt: Work. } ${rule} }] } }`
    const script = { phases: { 'work[0]': [failing], 'work[1]': [{ reply: 'Fine.' }] } }
    const output = { all: '${{ phases.each.output }}' }
    const passed = await stack.finish(flowTemplate(phases(', onError: continue'), { a: script, output }))
    expect(passed.output).toEqual({ all: [null, { text: 'Fine.' }] })
    const failed = await stack.finish(flowTemplate(phases(''), { a: script }))
    expect(failed.error).toMatchObject({ code: 'overloaded', message: expect.stringContaining('work[0]') })
    expect(statusesOf(failed)).toMatchObject({ each: 'failed', 'work[0]': 'failed' })
  })

  test('goes on in a new execution once its history is long, when those under way have ended', async () => {
    const phases = `
  - id: each
    map: { over: [0, 1, 2, 3], concurrency: 2, phases: [{ id: work, agent: { role: a, prompt: Work. } }] }
`
    const long = [{ reply: 'words '.repeat(100), chunks: 300, chunkDelayMs: 20 }]
    const run = await stack.submit(
      flowTemplate(phases, {
        a: { phases: { 'work[0]': long, 'work[1]': long, 'work[2]': quick, 'work[3]': quick } },
      }),
    )
    await stack.untilEvent(run, 'call.reserved', 2)
    for (let sent = 0; sent < 2_100; sent += 300)
      await Promise.all(Array.from({ length: 300 }, () => stack.workflow(run).signal('wake')))
    expect((await stack.untilStatus(run, 'completed', 'failed')).error).toBe(null)
    const end = await stack.standing(run)
    expect(
      eventsOf(end, 'turn.completed')
        .map(({ phase }) => phase)
        .sort(),
    ).toEqual([0, 1, 2, 3].map((item) => `work[${item}]`))
    expect(eventsOf(end, 'session.resumed')).toEqual([])
    const { longest, executions } = await stack.histories(run)
    expect(executions).toBeGreaterThan(1)
    expect(longest).toBeLessThan(10_000)
  })

  test('of many items keeps every history small', async () => {
    const items = Array.from({ length: 1_000 }, (_, item) => item)
    const phases = `
  - id: each
    map:
      over: \${{ input.items }}
      concurrency: 50
      phases:
        - { id: odd, when: "\${{ item % 2 == 1 }}", wait: { until: "2020-01-01T00:00:00Z" } }
`
    const run = await stack.submit(flowTemplate(phases), { input: { items } })
    const end = await stack.until(run, ({ status }) => status === 'completed' || status === 'failed', 60_000)
    expect(end.error).toBe(null)
    const statuses = Object.values(statusesOf(end))
    expect(statuses.filter((status) => status === 'skipped')).toHaveLength(500)
    expect(statuses.filter((status) => status === 'completed')).toHaveLength(501)
    expect((await stack.histories(run)).longest).toBeLessThan(2_000)
  })
})
