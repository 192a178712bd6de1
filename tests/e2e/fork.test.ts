// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what expressions look like
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConflictError, DevflowClient, type ForkRun, type SubmitRun, ValidationError } from '@devflow/client'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type ApiProcess, startApi } from '../support/api-process.ts'
import { smallRepository } from '../support/repository.ts'
import { eventsOf, statusesOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { completing, failing, NOTE, scriptedPersona } from '../support/templates.ts'

const ENTRIES = fileURLToPath(new URL('../support/entries', import.meta.url))
const write = (path: string, content: string) => ({
  toolCalls: [{ name: 'write_file', arguments: { path, content } }],
})
const done = { reply: 'Done.' }
const textScript = (lines: string[], size: number) => ({
  phases: { write: [completing(lines.join('\n'))], note: [completing({ title: 'A note', size })] },
})
const list = { toolCalls: [{ name: 'list_dir', arguments: { path: '.' } }] }

const TEMPLATES = `
kind: template
id: fork/reviewed@1
input: { type: object, required: [say], properties: { say: { type: string } } }
roles: { writer: { persona: agent@1 }, reviewer: { persona: failing@1 } }
artifacts: { note: { schema: note@1 }, second: { schema: note@1 } }
budget: { limitMicroUsd: 100000, onExceeded: block }
phases:
  - { id: spec, agent: { role: writer, prompt: "[turns=1][[complete:{\\"title\\":\\"A note\\",\\"size\\":1}]]", produces: note } }
  - { id: ok, gate: { title: Go on?, subject: [note], approvers: [owner] } }
  - { id: review, agent: { role: reviewer, prompt: "\${{ input.say }} \${{ artifacts.note.title }}", inputs: [note], produces: second } }
output: { note: "\${{ artifacts.note }}", second: "\${{ artifacts.second }}", by: "\${{ phases.ok.output.decisions[0].actor }}" }
${scriptedPersona('failing@1', { turns: [failing] })}${scriptedPersona('reviewing@1', { turns: [completing({ title: 'Second', size: 2 })] })}---
kind: template
id: fork/text@1
roles: { writer: { persona: one-line@1 } }
artifacts: { text: { kind: markdown }, note: { schema: note@1 } }
phases:
  - { id: note, agent: { role: writer, prompt: Note., produces: note } }
  - { id: write, agent: { role: writer, prompt: Write., produces: text } }
${scriptedPersona('one-line@1', textScript(['# A text', '', 'One line.'], 1))}${scriptedPersona('two-lines@1', textScript(['# A text', '', 'Two', 'lines.'], 2))}---
kind: template
id: fork/files@1
roles: { worker: { persona: files@1 } }
phases:
  - { id: one, agent: { role: worker, prompt: Work. } }
  - { id: each, map: { over: "\${{ [1, 2, 3] }}", concurrency: 3, phases: [ { id: item, agent: { role: worker, prompt: Work. } } ] } }
  - { id: three, agent: { role: worker, prompt: Work. } }
  - { id: hear, wait: { signal: news } }
  - { id: five, agent: { role: worker, prompt: Work. } }
output: { news: "\${{ phases.hear.output }}", each: "\${{ size(phases.each.output) }}" }
---
${JSON.stringify({
  kind: 'persona',
  id: 'files@1',
  model: {
    provider: 'scripted',
    name: 'files',
    script: {
      phases: {
        one: [write('one.txt', 'one'), done],
        'item[0]': [write('item0.txt', 'item'), done],
        'item[1]': [done],
        'item[2]': [write('item2.txt', 'item'), done],
        three: [write('three.txt', 'three'), done],
        five: [list, write('five.txt', 'five'), done],
      },
    },
  },
  tools: ['list_dir', 'write_file'],
})}
`

const stack = useStack()
const repo = await smallRepository()
let folder: string
let api: ApiProcess
let client: DevflowClient

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'devflow-fork-'))
  await writeFile(join(folder, 'fork.yaml'), TEMPLATES)
  api = await startApi({
    DATABASE_URL: stack.databaseUrl,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: stack.client.options.namespace,
    DEVFLOW_ENTRIES: `${ENTRIES}:${folder}`,
    DEVFLOW_WORKSPACE_ROOTS: tmpdir(),
    OPENROUTER_API_KEY: 'sk-or-v1-test-key',
  })
  client = new DevflowClient({ baseUrl: api.url })
})
afterAll(async () => {
  await api?.stop()
  for (const path of [folder, repo]) await rm(path, { recursive: true, force: true })
})

const submit = async (submission: SubmitRun) => {
  const { id } = await client.runs.submit(submission)
  stack.runs.push(id)
  return id
}
const fork = async (source: string, how: ForkRun, idempotencyKey?: string) => {
  const run = await client.runs.fork(source, how, idempotencyKey === undefined ? {} : { idempotencyKey })
  if (!stack.runs.includes(run.id)) stack.runs.push(run.id)
  return run
}
async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  return await Array.fromAsync(items)
}
const requests = (run: string) => stack.fake.requests.filter(({ session }) => session.startsWith(run)).length

/** A run that has paid for its spec, was approved, and failed at its review. */
async function failedAtReview(): Promise<string> {
  const id = await submit({ template: 'fork/reviewed@1', input: { say: 'Look.' } })
  await stack.untilEvent(id, 'gate.opened')
  await stack.decide(id, 'ok', { comment: 'Fine.' })
  await stack.untilStatus(id, 'failed')
  return id
}

describe('a fork', () => {
  test('takes over what was paid and decided, and goes on with another persona and input', async () => {
    const source = await failedAtReview()
    const before = await client.runs.get(source)
    expect(before.usage.costMicroUsd).toBeGreaterThan(0)

    const key = `fork-${source}`
    const how = { fromPhase: 'review', input: { say: 'Again.' }, bindings: { reviewer: 'reviewing@1' } }
    const forked = await fork(source, how, key)
    expect(forked).toMatchObject({
      forkedFrom: source,
      input: { say: 'Again.' },
      template: 'fork/reviewed@1',
    })
    expect(forked.definitionHash).not.toBe(before.definitionHash)
    expect((await fork(source, how, key)).id).toBe(forked.id)

    const end = await stack.untilStatus(forked.id, 'completed', 'failed')
    expect(end.output).toEqual({ note: NOTE, second: { title: 'Second', size: 2 }, by: 'owner' })
    // What the model reads in the end is the new input, with the old note.
    expect(JSON.stringify(eventsOf(end, 'turn.started'))).toContain('Again. A note')
    expect(requests(forked.id)).toBe(0)
    const now = await client.runs.get(forked.id)
    const [own, ...others] = (await all(client.runs.calls(forked.id))).filter(
      ({ phase }) => phase === 'review',
    )
    expect(others).toEqual([])
    expect(now.usage).toMatchObject({ costMicroUsd: 0, inputTokens: own?.inputTokens, unsettledMicroUsd: 0 })
    expect(now.budget).toMatchObject({ limitMicroUsd: 100_000, spentMicroUsd: 0 })
    expect(now.phases.map(({ id, reused }) => [id, reused])).toEqual([
      ['spec', true],
      ['ok', true],
      ['review', undefined],
    ])
  })

  test('says in its log, ledger and report what it took over, and counts none of it', async () => {
    const source = await failedAtReview()
    const { id } = await fork(source, { fromPhase: 'review', bindings: { reviewer: 'reviewing@1' } })
    const end = await stack.untilStatus(id, 'completed')
    const [submitted, ...rest] = end.events
    expect(submitted).toMatchObject({
      type: 'run.submitted',
      data: { forkedFrom: source, fromPhase: 'review' },
    })
    const copied = rest.filter(({ data }) => data.reused)
    expect(rest.slice(0, copied.length)).toEqual(copied)
    expect(copied.map(({ type }) => type)).toEqual(
      expect.arrayContaining([
        'call.reserved',
        'call.settled',
        'turn.completed',
        'gate.decided',
        'phase.completed',
      ]),
    )
    const paid = (await client.runs.get(source)).usage.costMicroUsd
    const there = eventsOf(end, 'call.settled').filter(({ data }) => data.reused)
    expect(there.map(({ data }) => data.costMicroUsd)).toEqual([0, 0])
    const costs = there.map(({ data }) => (data.paid as { costMicroUsd: number }).costMicroUsd)
    expect(costs.reduce((sum, cost) => sum + cost, 0)).toBeCloseTo(paid, 6)
    const calls = await all(client.runs.calls(id))
    expect(calls[0]).toMatchObject({
      phase: 'spec',
      costMicroUsd: 0,
      costSource: 'reused',
      reservedMicroUsd: 0,
    })
    const usage = await all(client.usage.list({ by: 'run' }))
    expect(usage.find(({ key }) => key === id)?.calls).toBe(calls.length - 2)
    const report = await client.runs.report(id)
    expect(report.fork).toEqual({
      run: source,
      fromPhase: 'review',
      reused: ['spec', 'ok'],
      paidMicroUsd: paid,
    })
    expect(await client.runs.reportMarkdown(id)).toContain(source)
    const [gate] = await all(client.gates.list({ run: id }))
    expect(gate).toMatchObject({ status: 'approved', decisions: [{ actor: 'owner', comment: 'Fine.' }] })
  })

  test('begins with the files of the phases before it, items of a map and signals among them', async () => {
    const source = await submit({ template: 'fork/files@1', workspace: { repo } })
    await stack.until(source, ({ phases }) => phases.hear?.status === 'waiting')
    await stack.signal(source, 'news', 's1', { good: true })
    await stack.untilStatus(source, 'completed')
    const { id } = await fork(source, { fromPhase: 'five' })
    const end = await stack.untilStatus(id, 'completed', 'failed')
    expect(end.output).toEqual({ news: { good: true }, each: 3 })
    const seen = eventsOf(end, 'tool.completed').find(
      ({ phase, data }) => phase === 'five' && data.name === 'list_dir',
    )
    expect(String(seen?.data.content)).toMatch(/item0\.txt[\s\S]*item2\.txt[\s\S]*one\.txt[\s\S]*three\.txt/)
    // A fork of a fork takes over what that has taken over, and what it has done.
    const again = await fork(id, { fromPhase: 'three' })
    const second = await stack.until(again.id, ({ phases }) => phases.hear?.status === 'waiting')
    expect(statusesOf(second)).toMatchObject({ one: 'completed', 'item[2]': 'completed', three: 'completed' })
    await stack.command(again.id, 'cancel')
    await stack.untilStatus(again.id, 'canceled')
  })

  test('begins from a run that is still at work, and from one that was canceled', async () => {
    const source = await submit({ template: 'fork/reviewed@1', input: { say: 'Look.' } })
    await stack.untilEvent(source, 'gate.opened')
    const first = await fork(source, { fromPhase: 'ok' })
    await stack.command(source, 'cancel')
    await stack.untilStatus(source, 'canceled')
    const second = await fork(source, { fromPhase: 'ok' })
    for (const { id } of [first, second]) {
      await stack.untilEvent(id, 'gate.opened')
      expect(requests(id)).toBe(0)
      await stack.command(id, 'cancel')
      await stack.untilStatus(id, 'canceled')
    }
  })

  test('is refused from a phase inside others, one that is none, and one whose way is not done', async () => {
    const source = await submit({ template: 'fork/files@1', workspace: { repo } })
    await stack.until(source, ({ phases }) => phases.hear?.status === 'waiting')
    const refusal = async (how: ForkRun) => await fork(source, how).catch((error: unknown) => error)
    const inside = await refusal({ fromPhase: 'item[1]' })
    expect(inside).toBeInstanceOf(ValidationError)
    expect(inside).toMatchObject({
      code: 'unknown_phase',
      errors: [{ message: 'is inside each: fork from each' }],
    })
    expect(await refusal({ fromPhase: 'nowhere' })).toMatchObject({ code: 'unknown_phase' })
    const early = await refusal({ fromPhase: 'five' })
    expect(early).toBeInstanceOf(ConflictError)
    expect(early).toMatchObject({ code: 'phase_not_reached' })
    expect((early as Error).message).toContain('hear')
    await stack.command(source, 'cancel')
    await stack.untilStatus(source, 'canceled')
  })
})

describe('a comparison', () => {
  test('says what differs between a run and its fork, and that nothing does between a run and itself', async () => {
    const source = await failedAtReview()
    const { id } = await fork(source, {
      fromPhase: 'review',
      input: { say: 'Again.' },
      bindings: { reviewer: 'reviewing@1' },
    })
    await stack.untilStatus(id, 'completed')
    const diff = await client.runs.diff(source, id)
    expect(diff).toMatchObject({
      same: false,
      a: { id: source, status: 'failed', error: { code: 'overloaded' } },
      b: { id, status: 'completed', forkedFrom: source },
      input: { changes: [{ path: 'say', change: 'changed', a: 'Look.', b: 'Again.' }] },
      definition: { bindings: [{ role: 'reviewer', a: 'failing@1', b: 'reviewing@1' }], parts: [] },
    })
    const spec = diff.phases.find((phase) => phase.id === 'spec')
    expect(spec?.a?.costMicroUsd).toBeGreaterThan(0)
    expect(spec?.b).toMatchObject({ status: 'completed', reused: true, costMicroUsd: 0, inputTokens: 0 })
    expect(diff.artifacts.map(({ name, change }) => [name, change])).toEqual([
      ['note', 'same'],
      ['second', 'added'],
    ])
    expect(await client.runs.diff(id, id)).toMatchObject({
      same: true,
      input: { changes: [] },
      definition: { bindings: [], parts: [] },
      output: { changes: [] },
    })
  })

  test('tells of JSON the places, of text the lines', async () => {
    const [a, b] = [
      await submit({ template: 'fork/text@1' }),
      await submit({ template: 'fork/text@1', bindings: { writer: 'two-lines@1' } }),
    ]
    for (const id of [a, b]) await stack.untilStatus(id, 'completed')
    const { artifacts } = await client.runs.diff(a, b)
    expect(artifacts.find(({ name }) => name === 'note')?.changes).toEqual([
      { path: 'size', change: 'changed', a: 1, b: 2 },
    ])
    expect(artifacts.find(({ name }) => name === 'text')?.text).toMatch(
      /^--- a\/text[\s\S]*\n@@ -1,3 \+1,4 @@\n # A text\n \n-One line\.[\s\S]*\n\+Two\n\+lines\./,
    )
  })
})
