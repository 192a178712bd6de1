import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  ConflictError,
  DevflowClient,
  ExecutionError,
  finalText,
  type LogItem,
  NotFoundError,
  type RunEvent,
  StreamedText,
  ValidationError,
} from '@devflow/client'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type ApiProcess, startApi } from '../support/api-process.ts'
import { useStack } from '../support/stack.ts'

const ENTRIES = fileURLToPath(new URL('../support/entries', import.meta.url))

const TEMPLATES = `
kind: template
id: client/note@1
input: { type: object, required: [say], properties: { say: { type: string } } }
roles: { worker: { persona: agent@1 } }
artifacts: { note: { schema: note@1 } }
phases:
  - { id: work, agent: { role: worker, prompt: "\${{ input.say }}", produces: note } }
output: { note: "\${{ artifacts.note }}" }
---
kind: template
id: client/asked@1
phases:
  - { id: ok, gate: { title: Go on? } }
  - { id: nap, wait: { for: PT0.01S } }
output: { asked: true }
---
kind: template
id: client/told@1
phases:
  - { id: hear, wait: { signal: news } }
`
const NOTE = { title: 'A note', size: 1 }
const GOOD = `[turns=1][[complete:${JSON.stringify(NOTE)}]]`
const BAD = '[turns=0][[complete:{"title":"x"}]]'

const stack = useStack()
let folder: string
let api: ApiProcess
let client: DevflowClient

const start = (port = '0') =>
  startApi({
    DATABASE_URL: stack.databaseUrl,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: stack.client.options.namespace,
    DEVFLOW_ENTRIES: `${ENTRIES}:${folder}`,
    DEVFLOW_PORT: port,
    OPENROUTER_API_KEY: 'sk-or-v1-test-key',
  })

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'devflow-client-'))
  await writeFile(join(folder, 'client.yaml'), TEMPLATES)
  api = await start()
  client = new DevflowClient({
    baseUrl: api.url,
    retry: { reconnects: 60, minDelayMs: 100, maxDelayMs: 1_000 },
  })
})
afterAll(async () => {
  await api.stop()
  await rm(folder, { recursive: true })
})

const submit = async (template: string, input?: { say: string }) => {
  const run = await client.runs.submit({ template, input })
  stack.runs.push(run.id)
  return run.id
}

async function read(log: AsyncIterable<LogItem>): Promise<LogItem[]> {
  const items: LogItem[] = []
  for await (const item of log) items.push(item)
  return items
}

/** How a run ends; a decision or a signal is taken before the run has moved. */
async function endOf(id: string): Promise<string> {
  const log = client.runs.follow(id)
  while (true) {
    const { done, value } = await log.next()
    if (done) return value.status
  }
}

describe('execute', () => {
  test('gives the output of a run, and how long it took', async () => {
    const done = await client.execute<{ note: typeof NOTE }>(
      'client/note@1',
      { say: GOOD },
      { labels: { a: 'b' } },
    )
    expect(done.output.note).toEqual(NOTE)
    expect(done.latencyMs).toBeGreaterThan(0)
    expect(done.run).toMatchObject({ status: 'completed', latencyMs: done.latencyMs, labels: { a: 'b' } })
  })

  test('rejects with why a run failed', async () => {
    const failed = await client.execute('client/note@1', { say: BAD }).catch((error: unknown) => error)
    expect(failed).toBeInstanceOf(ExecutionError)
    expect(failed).toMatchObject({
      ...{ name: 'ExecutionError', kind: 'INVALID', code: 'artifact_invalid' },
      errors: expect.arrayContaining([expect.objectContaining({ path: 'size' })]),
      run: { status: 'failed', phases: [{ id: 'work', status: 'failed' }] },
    })
  })

  test('rejects an input the template does not take, with the place', async () => {
    const refused = await client.execute('client/note@1', {}).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(ValidationError)
    expect(refused).toMatchObject({
      ...{ code: 'invalid_input', status: 400, traceId: expect.any(String) },
      errors: [{ path: 'input.say', message: expect.any(String) }],
    })
  })

  test('says that a run waits for someone; under the same key it goes on waiting for it', async () => {
    const options = { idempotencyKey: crypto.randomUUID() }
    const waiting = await client
      .execute('client/asked@1', undefined, options)
      .catch((error: unknown) => error)
    expect(waiting).toBeInstanceOf(ExecutionError)
    if (!(waiting instanceof ExecutionError)) return
    expect(waiting).toMatchObject({ kind: 'CONFLICT', code: 'run_waiting' })
    expect(waiting.message).toContain('waits for someone at gate "ok"')
    expect(waiting.run.waitingFor).toMatchObject([{ kind: 'gate', id: 'ok' }])

    const execution = client.execute('client/asked@1', undefined, { ...options, whenWaiting: 'wait' })
    const gate = await client.gates.decide(waiting.run.id, 'ok', { decision: 'approve', comment: 'Yes.' })
    expect(gate).toMatchObject({ status: 'approved', decisions: [{ decision: 'approve', comment: 'Yes.' }] })
    expect(await execution).toMatchObject({ output: { asked: true }, run: { id: waiting.run.id } })
  })

  test('says that a run is paused, and rejects when it is canceled', async () => {
    const key = { idempotencyKey: crypto.randomUUID() }
    const { id } = await client.runs.submit({ template: 'client/told@1' }, key)
    await client.runs.pause(id, { reason: 'lunch' })
    await expect(client.execute('client/told@1', undefined, key)).rejects.toMatchObject({
      code: 'run_paused',
    })
    const execution = client.execute('client/told@1', undefined, { ...key, whenWaiting: 'wait' })
    await client.runs.cancel(id)
    await expect(execution).rejects.toMatchObject({ kind: 'CANCELED', code: 'canceled', run: { id } })
  })

  test('leaves the run alone when it is left', async () => {
    const key = { idempotencyKey: crypto.randomUUID() }
    const { id } = await client.runs.submit({ template: 'client/told@1' }, { ...key, waitSeconds: 30 })
    const stop = new AbortController()
    const execution = client.execute('client/told@1', undefined, {
      ...key,
      whenWaiting: 'wait',
      signal: stop.signal,
    })
    stop.abort('enough')
    await expect(execution).rejects.toBe('enough')
    expect(await client.runs.get(id)).toMatchObject({ status: 'waiting' })
    await client.runs.cancel(id)
  })
})

test('every record of a run can be read, and the run deleted', async () => {
  await client.health.alive()
  await client.health.ready()
  const id = await submit('client/note@1', { say: GOOD })
  await client.runs.get(id, { waitSeconds: 60 })
  expect((await client.runs.phases(id)).items).toMatchObject([{ id: 'work', status: 'completed' }])
  const { items: artifacts } = await client.runs.artifacts(id)
  const listed = artifacts.find(({ name }) => name === 'note')
  const note = await client.runs.artifact(id, 'note', { version: 1 })
  expect(note.json()).toEqual(NOTE)
  expect(note).toMatchObject({ mediaType: 'application/json', sha256: listed?.sha256 })
  expect(note.bytes).toHaveLength(listed?.bytes ?? -1)
  expect(await client.runs.report(id)).toMatchObject({ runId: id, outcome: 'completed' })
  expect(await client.runs.reportMarkdown(id)).toMatch(/^# /)
  expect((await client.runs.calls(id)).items).toMatchObject([{ status: 'settled', turn: 1 }, { turn: 2 }])
  expect((await client.runs.audit(id)).items).toMatchObject([{ tool: 'list_dir' }, { tool: 'complete' }])
  const page = await client.runs.events(id, { after: 1, limit: 2, types: ['run.started', 'run.completed'] })
  expect(page.items.map(({ type }) => type)).toEqual(['run.started', 'run.completed'])
  const ids: string[] = []
  for await (const run of client.runs.list({ template: 'client/note@1', status: ['completed'], limit: 1 }))
    ids.push(run.id)
  expect(ids).toContain(id)
  expect(new Set(ids).size).toBe(ids.length)

  await expect(client.runs.resume(id)).rejects.toThrow(ConflictError)
  await client.runs.delete(id)
  stack.runs.splice(stack.runs.indexOf(id), 1)
  await expect(client.runs.get(id)).rejects.toThrow(NotFoundError)
})

test('signals and gates can be answered; what is repeated counts once', async () => {
  const told = await submit('client/told@1')
  const sent = await client.signals.send(told, 'news', { data: { x: 1 }, id: 's1' })
  expect(sent).toEqual({ runId: told, name: 'news', id: 's1', duplicate: false })
  expect(await client.signals.send(told, 'news', { data: { x: 1 }, id: 's1' })).toMatchObject({
    duplicate: true,
  })
  expect(await endOf(told)).toBe('completed')

  const asked = await submit('client/asked@1')
  await client.runs.get(asked, { waitSeconds: 60 })
  const { items } = await client.gates.list({ run: asked, status: 'open' })
  expect(items).toMatchObject([{ runId: asked, id: 'ok' }])
  expect((await client.gates.list({ status: ['open'] })).items).toContainEqual(items[0])
  const stale = { decision: 'approve', subjectHash: 'a'.repeat(64) } as const
  await expect(client.gates.decide(asked, 'ok', stale)).rejects.toMatchObject({ code: 'subject_changed' })
  await client.gates.decide(asked, 'ok', { decision: 'reject' })
  expect(await endOf(asked)).toBe('failed')
  expect(await client.runs.retry(asked)).toMatchObject({ attempt: 2 })
  await client.runs.cancel(asked)
})

test('a run is followed over a restart of the API, each row once and in order', async () => {
  const id = await submit('client/note@1', { say: `[turns=6][chunks=8][chunkDelayMs=20]${GOOD.slice(9)}` })
  const seen: LogItem[] = []
  let restarted: Promise<void> | undefined
  const log = client.runs.follow(id, { chunks: true })
  for await (const item of log) {
    seen.push(item)
    if (seen.length === 12)
      restarted = api.stop().then(async () => {
        api = await start(new URL(api.url).port)
      })
  }
  await restarted
  const { items } = await client.runs.events(id, { chunks: true, limit: 1000 })
  const isChunk = ({ type }: RunEvent) => type.startsWith('chunk')
  expect(seen).toEqual(items.map((row) => (isChunk(row) ? { ...row.data, type: row.type } : row)))
  expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, index) => index + 1))
  expect(await read(client.runs.follow(id, { after: seen.length }))).toEqual([])
})

test('what a model says is whole in the end, though the worker died while it spoke', async () => {
  const id = await submit('client/note@1', { say: `[chunks=30][chunkDelayMs=40]${GOOD}` })
  const said = new StreamedText()
  const types = new Set<string>()
  let killed: Promise<unknown> | undefined
  for await (const item of client.runs.tokens(id, { phase: 'work' })) {
    types.add(item.type)
    said.add(item)
    if (said.text.length > 10) killed ??= stack.worker.kill().then(() => stack.startWorker())
  }
  await killed
  expect([...types]).toEqual(['token', 'reset'])
  const { items } = await client.runs.events(id, { types: ['turn.completed'] })
  expect(items.length).toBe(2)
  expect(said.turns).toMatchObject([
    {
      turn: 1,
      text: 'Turn 1: I look at the next thing, and this text is long enough to be streamed in pieces.',
    },
    { turn: 2, text: 'Turn 2: I have seen enough and complete the work.' },
  ])
  expect(await finalText(client.runs.tokens(id))).toBe(said.text)
})

test('pokes tell of runs and gates that change', async () => {
  const runs = client.stream({ template: 'client/asked@1' })
  const gates = client.stream({ kind: 'gates', template: 'client/asked@1' })
  const [run, gate] = [runs.next(), gates.next()]
  const id = await submit('client/asked@1')
  expect((await run).value).toMatchObject({ type: 'run', runId: id, cursor: expect.any(String) })
  expect((await gate).value).toMatchObject({ type: 'gate', gate: { runId: id, id: 'ok', status: 'open' } })
  await client.runs.cancel(id)
  for await (const poke of runs) if (poke.runId === id && poke.status === 'canceled') break
  await gates.return(undefined as never)
})
