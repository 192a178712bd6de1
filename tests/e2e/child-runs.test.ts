// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what expressions look like
import { readRun } from '@devflow/db'
import { describe, expect, test } from 'vitest'
import { eventOf, eventsOf, statusesOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { completing, failing, flowTemplate, NOTE, scriptedPersona } from '../support/templates.ts'

const stack = useStack()

/** A template that starts another, `child@1`, whose one agent phase `work` is played by the script. */
const family = (script: object, { rules = '', more = '' } = {}) =>
  flowTemplate(
    `
  - id: sub
    workflow: { template: child@1, input: { word: "\${{ input.word }}" } }
    ${rules}
${more}`,
    { output: { sub: '${{ phases.sub.output }}' } },
  ).replace('kind: template\n', 'kind: template\ndescription: starts another\n') +
  `---
kind: template
id: child@1
input: { type: object, required: [word], properties: { word: { type: string } } }
roles: { worker: { persona: worker@1 } }
artifacts: { note: { schema: note@1 } }
phases:
  - { id: work, agent: { role: worker, prompt: "Write of \${{ input.word }}.", produces: note } }
output: { note: "\${{ artifacts.note }}", of: "\${{ input.word }}" }
${scriptedPersona('worker@1', script)}`

const input = { word: 'tea' }
const streaming = { reply: 'many words '.repeat(200), chunks: 2000, chunkDelayMs: 10 }

/** The run that a parent's phase has started. */
async function childOf(run: string, count = 1): Promise<string> {
  const standing = await stack.untilEvent(run, 'child.started', count)
  const child = String(eventsOf(standing, 'child.started').at(-1)?.data.run)
  if (!stack.runs.includes(child)) stack.runs.push(child)
  return child
}

describe('a workflow phase', () => {
  test('is a run of its own, and takes its output for its own', async () => {
    const run = await stack.submit(family({ turns: [completing(NOTE)] }), { input })
    const child = await childOf(run)
    const end = await stack.untilStatus(run, 'completed', 'failed')
    expect(end.error).toBe(null)
    expect(end.output).toEqual({ sub: { note: NOTE, of: 'tea' } })
    expect(eventOf(end, 'child.completed').data).toEqual({ run: child, status: 'completed' })
    const view = await readRun(stack.pool, 'default', child)
    expect(view).toMatchObject({ parent: run, status: 'completed', template: 'child@1', input })
    expect((await stack.workflow(child).describe()).status.name).toBe('COMPLETED')
  })

  test('fails as the run it started does; a retry of the parent lets that go on where it failed', async () => {
    const script = { phases: { work: { attempts: [[failing], [completing(NOTE)]] } } }
    const run = await stack.submit(family(script), { input })
    const child = await childOf(run)
    const failed = await stack.untilStatus(run, 'failed')
    expect(failed.error).toMatchObject({ code: 'overloaded' })
    await stack.command(run, 'retry')
    const end = await stack.untilStatus(run, 'completed')
    expect(await childOf(run, 2)).toBe(child)
    expect(end.output).toMatchObject({ sub: { of: 'tea' } })
    expect((await stack.standing(child)).attempt).toBe(2)
  })

  test('by its own retry it starts another', async () => {
    const run = await stack.submit(
      family({ turns: [failing] }, { rules: 'retry: { maxAttempts: 2, backoff: PT0.01S }' }),
      { input },
    )
    const first = await childOf(run)
    const second = await childOf(run, 2)
    expect(second).not.toBe(first)
    expect((await stack.untilStatus(run, 'failed')).phases.sub?.attempt).toBe(2)
  })

  test('waits where the run it started waits for somebody, and goes on with it', async () => {
    const run = await stack.submit(`
kind: template
id: asking@1
phases: [{ id: sub, workflow: { template: asked@1 } }]
---
kind: template
id: asked@1
roles: { worker: { persona: worker@1 } }
phases:
  - { id: ok, gate: { title: Go on? } }
  - { id: work, agent: { role: worker, prompt: Work. } }
${scriptedPersona('worker@1', { turns: [{ reply: 'Done.', delayMs: 1_500 }] })}`)
    const child = await childOf(run)
    await stack.untilStatus(run, 'waiting')
    expect(await readRun(stack.pool, 'default', run)).toMatchObject({
      waitingFor: [{ kind: 'wait', id: 'sub' }],
    })
    await stack.decide(child, 'ok')
    expect((await stack.untilEvent(run, 'child.resumed')).status).toBe('running')
    const end = await stack.untilStatus(run, 'completed', 'failed')
    expect(end.types.filter((type) => /^(run|child)\./.test(type))).toEqual([
      ...['run.submitted', 'run.started', 'child.started', 'child.waiting', 'run.waiting'],
      ...['child.resumed', 'child.completed', 'run.completed'],
    ])
  })

  test('says what is wrong with the input it gives', async () => {
    const run = await stack.submit(family({ turns: [failing] }), { input: { word: 7 } })
    const end = await stack.untilStatus(run, 'failed')
    expect(end.error).toMatchObject({ code: 'invalid_input', message: expect.stringContaining('word') })
  })

  test('is canceled with its parent, and its session stops within two seconds', async () => {
    const run = await stack.submit(family({ turns: [streaming] }), { input })
    const child = await childOf(run)
    await stack.untilEvent(child, 'call.reserved')
    const asked = performance.now()
    await stack.command(run, 'cancel')
    await stack.untilStatus(run, 'canceled')
    const end = await stack.untilStatus(child, 'canceled')
    expect(performance.now() - asked).toBeLessThan(2_500)
    expect(eventOf(end, 'call.lost').data.status).toBe('aborted')
  })

  test('pauses and goes on with its parent', async () => {
    const turns = [{ reply: 'words '.repeat(20), chunks: 30, chunkDelayMs: 10, ...completing(NOTE) }]
    const run = await stack.submit(
      family({
        turns: [
          { ...turns[0], toolCalls: [{ name: 'list_dir', arguments: { path: '.' } }] },
          completing(NOTE),
        ],
      }),
      { input },
    )
    const child = await childOf(run)
    await stack.untilEvent(child, 'call.reserved')
    await stack.command(run, 'pause')
    await stack.untilEvent(child, 'run.paused')
    expect((await stack.untilEvent(run, 'run.paused')).status).toBe('paused')
    await stack.command(run, 'resume')
    expect((await stack.untilStatus(run, 'completed', 'failed')).error).toBe(null)
  })

  test('outlasts neither its timeout nor the phase around it', async () => {
    const late = await stack.submit(family({ turns: [streaming] }, { rules: 'timeout: PT0.5S' }), { input })
    const child = await childOf(late)
    expect((await stack.untilStatus(late, 'failed')).error).toMatchObject({ code: 'phase_timeout' })
    expect((await stack.standing(child)).status).toBe('canceled')

    const around = family({ turns: [streaming] }).replace(
      /\n {2}- id: sub\n {4}(workflow: .*)\n/,
      '\n  - { id: both, parallel: { branches: [[{ id: sub, $1 }], [{ id: nap, wait: { for: PT0.3S } }, { id: bad, map: { over: "${{ input.word }}", phases: [{ id: x, wait: { for: PT1H } }] } }]] } }\n',
    )
    const run = await stack.submit(around, { input })
    const other = await childOf(run)
    const end = await stack.untilStatus(run, 'failed')
    expect(end.error).toMatchObject({ code: 'invalid_items' })
    expect(statusesOf(end)).toMatchObject({ both: 'failed', sub: 'canceled' })
    expect((await stack.standing(other)).status).toBe('canceled')
  })

  test('spends from its parent: the parent’s figures hold the child’s', async () => {
    const run = await stack.submit(
      family({ turns: [{ ...completing(NOTE), usage: { inputTokens: 11, outputTokens: 7 } }] }),
      { input },
    )
    const child = await childOf(run)
    await stack.untilStatus(run, 'completed')
    const [parent, own] = [
      await readRun(stack.pool, 'default', run),
      await readRun(stack.pool, 'default', child),
    ]
    expect(own?.usage).toMatchObject({ inputTokens: 11, outputTokens: 7 })
    expect(parent?.usage).toEqual(own?.usage)
  })
})
