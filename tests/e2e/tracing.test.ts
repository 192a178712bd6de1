import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type ApiProcess, startApi } from '../support/api-process.ts'
import { eventually } from '../support/eventually.ts'
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../support/otlp-receiver.ts'
import { Stack } from '../support/stack.ts'

const ENTRIES = fileURLToPath(new URL('../support/entries', import.meta.url))
const KEY = 'collector-key-0123456789'
const SECRET = 'hunter2-swordfish-0815'

const TEMPLATE = `
kind: template
id: traced@1
title: Traced
input: { type: object, properties: { say: { type: string } } }
roles: { worker: { persona: agent@1 } }
artifacts: { note: { schema: note@1 } }
phases:
  - { id: work, agent: { role: worker, prompt: "Peculiar prompt \${{ input.say }}", produces: note } }
  - { id: ok, gate: { title: Go on? } }
  - { id: nap, wait: { for: PT0.01S } }
`
const DONE = `${SECRET} [turns=0][[complete:{"title":"Unusual answer","size":1}]]`

/** Writes down which modules a process loads. */
const LISTING = `
import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
registerHooks({ load: (url, context, next) => (appendFileSync(process.env.LISTING, url + '\\n'), next(url, context)) })
`

const stack = new Stack({})
let receiver: OtlpReceiver
let api: ApiProcess
let folder: string

beforeAll(async () => {
  await stack.start()
  receiver = await startOtlpReceiver()
  folder = await mkdtemp(join(tmpdir(), 'devflow-traced-'))
  await writeFile(join(folder, 'traced.yaml'), TEMPLATE)
})
afterAll(async () => {
  await stack.stop()
  await receiver.close()
  await rm(folder, { recursive: true, force: true })
})

const otel = () => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  OTEL_EXPORTER_OTLP_HEADERS: `x-key=${KEY}`,
  OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
  DEVFLOW_SECRETS: SECRET,
})

const apiEnv = () => ({
  DATABASE_URL: stack.databaseUrl,
  TEMPORAL_ADDRESS: inject('temporalAddress'),
  TEMPORAL_NAMESPACE: stack.client.options.namespace,
  DEVFLOW_ENTRIES: `${ENTRIES}:${folder}`,
  OPENROUTER_API_KEY: 'sk-or-v1-test-key',
})

async function submit(headers: Record<string, string> = {}, say = DONE): Promise<string> {
  const submitted = await api.call('/v1/runs', { body: { template: 'traced@1', input: { say } }, headers })
  expect(submitted.status).toBe(201)
  const { id } = (await submitted.json()) as { id: string }
  stack.runs.push(id)
  return id
}

async function decide(run: string): Promise<void> {
  await stack.untilEvent(run, 'gate.opened')
  const decided = await api.call(`/v1/runs/${run}/gates/ok/decisions`, { body: { decision: 'approve' } })
  expect(decided.status).toBe(200)
}

/** Submits a run, decides its gate, and waits for its end. */
async function play(headers: Record<string, string> = {}, say = DONE): Promise<string> {
  const run = await submit(headers, say)
  await decide(run)
  await stack.untilStatus(run, 'completed')
  return run
}

/** The spans of a run, once the last of them has come: batches go out every few seconds. */
async function spansOf(run: string, last = 'run traced@1'): Promise<ReceivedSpan[]> {
  const ofRun = () => receiver.spans.filter(({ attributes }) => attributes['devflow.run.id'] === run)
  await eventually(
    async () => ofRun().map(({ name }) => name),
    (names) => names.includes(last) && names.includes('POST /v1/runs'),
  )
  const traces = new Set(ofRun().map(({ traceId }) => traceId))
  return receiver.spans.filter(({ traceId }) => traces.has(traceId))
}

describe('with an OTLP endpoint', () => {
  beforeAll(async () => {
    await stack.startWorker(otel())
    api = await startApi({ ...apiEnv(), ...otel() })
    // Providers' packages are loaded with the first call. On a busy machine that takes longer than a session is surely its own
    // by the short times of tests: it looks, and sends again.
    await play()
  })
  afterAll(async () => {
    await stack.stopWorker()
    await api.stop()
  })

  test('one trace leads from the request through the run and the session to the call of the provider', async () => {
    const client = { traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex') }
    const run = await play({ traceparent: `00-${client.traceId}-${client.spanId}-01` })
    const spans = (await spansOf(run)).filter(({ traceId }) => traceId === client.traceId)
    const one = (name: string) => {
      const found = spans.filter((span) => span.name === name)
      expect(found, name).toHaveLength(1)
      return found[0] as ReceivedSpan
    }
    const request = one('POST /v1/runs')
    const wakes = spans.filter(({ name }) => name === 'wake workflow')
    const round = one('run traced@1')
    const session = one('agent session')
    const call = one('chat deepseek/deepseek-chat')
    expect(request.parentSpanId).toBe(client.spanId)
    expect(wakes.length).toBeGreaterThanOrEqual(2) // its start, and the decision
    for (const wake of wakes) expect(wake.parentSpanId).toBe(request.spanId)
    expect(round.parentSpanId).toBe(request.spanId)
    expect(session.parentSpanId).toBe(round.spanId)
    expect(call.parentSpanId).toBe(session.spanId)
    expect([request, wakes[0], round, session, call].map((span) => span?.service)).toEqual([
      'devflow-api',
      ...Array(4).fill('devflow-worker'),
    ])
    // Nothing hangs in the air.
    const known = new Set([client.spanId, ...spans.map(({ spanId }) => spanId)])
    expect(spans.filter(({ parentSpanId }) => !known.has(parentSpanId))).toEqual([])
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length)
    for (const [inner, outer] of [
      [call, session],
      [session, round],
    ] as const) {
      expect(inner.start).toBeGreaterThanOrEqual(outer.start)
      expect(inner.end).toBeLessThanOrEqual(outer.end)
    }
    expect(round.attributes).toMatchObject({
      'devflow.run.id': run,
      'devflow.round': 1,
      'devflow.outcome': 'completed',
    })
    expect(session.attributes).toMatchObject({ 'devflow.phase': 'work', 'devflow.attempt': 1 })
    expect(call.attributes).toMatchObject({
      'gen_ai.provider.name': 'openrouter',
      'devflow.turn': 1,
      'gen_ai.usage.output_tokens': expect.any(Number),
    })
    expect(spans.map(({ name }) => name)).toEqual(expect.arrayContaining(['begin', 'enter', 'conclude']))
    expect(spans.filter(({ failed }) => failed)).toEqual([])
  })

  test('a call that fails is a failed span by its code, and so are its session and run', async () => {
    const run = await submit({}, '[scenario=err_401]')
    await stack.untilStatus(run, 'failed')
    const spans = await spansOf(run)
    const failed = spans.filter((span) => span.failed)
    expect([...new Set(failed.map(({ name }) => name))].sort()).toEqual([
      'agent session',
      'chat deepseek/deepseek-chat',
      'run traced@1',
    ])
    const call = failed.find(({ name }) => name.startsWith('chat'))
    expect(call?.attributes['error.type']).toMatch(/^[a-z_]+$/)
    const { error } = await stack.standing(run)
    expect(error).toMatchObject({ code: call?.attributes['error.type'] })
    const [line = '{}'] = stack
      .printed()
      .split('\n')
      .filter((text) => text.includes('a model call failed'))
    expect(JSON.parse(line)).toMatchObject({ runId: run, traceId: call?.traceId })
  })

  test('a session taken over after kill -9 goes on in the same trace, under the same span', async () => {
    const run = await submit(
      {},
      '[turns=0][chunks=200][chunkDelayMs=60][[complete:{"title":"Late","size":1}]]',
    )
    await stack.untilEvent(run, 'call.started')
    await stack.worker.kill()
    await stack.startWorker(otel())
    await decide(run)
    await stack.untilStatus(run, 'completed')
    const spans = await spansOf(run)
    const round = spans.find(({ name }) => name === 'run traced@1')
    const sessions = spans.filter(({ name }) => name === 'agent session')
    // That of the killed worker died with it.
    expect(
      sessions.map(({ parentSpanId, attributes }) => [parentSpanId, attributes['devflow.delivery']]),
    ).toEqual([[round?.spanId, 2]])
  })

  test('neither prompts nor answers, secrets or keys are in what is sent; the key is in its header', () => {
    const sent = receiver.requests.map(({ body }) => body).join('\n')
    expect(sent).toContain('deployment.environment.name')
    for (const word of ['Peculiar', 'Unusual', SECRET, KEY, 'sk-or-v1-test-key', 'Do the work'])
      expect(sent, word).not.toContain(word)
    expect(
      receiver.requests.every(({ path, headers }) => path === '/v1/traces' && headers['x-key'] === KEY),
    ).toBe(true)
    expect(stack.printed() + api.printed()).not.toContain(KEY)
  })

  test("a problem's traceId is the id of its request's trace", async () => {
    const asked = await api.call('/v1/runs/0190f0f0-0000-7000-8000-000000000000', {
      headers: { traceparent: `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01` },
    })
    const problem = (await asked.json()) as { traceId: string }
    expect(asked.status).toBe(404)
    expect(problem.traceId).toBe('c'.repeat(32))
    expect(asked.headers.get('x-request-id')).toBe('c'.repeat(32))
    const own = (await (await api.call('/v1/nowhere')).json()) as { traceId: string }
    expect(own.traceId).toMatch(/^[0-9a-f]{32}$/)
    const spans = await eventually(
      async () => receiver.spans.filter(({ traceId }) => traceId === own.traceId),
      ({ length }) => length > 0,
    )
    expect(spans[0]?.attributes['http.response.status_code']).toBe(404)
  })
})

describe('with a receiver that is away', () => {
  test('runs go on, and the log says so once', async () => {
    receiver.answer(500)
    await stack.startWorker(otel())
    api = await startApi({ ...apiEnv(), ...otel() })
    const run = await play()
    expect((await stack.standing(run)).status).toBe('completed')
    await stack.worker.stop()
    await api.stop()
    const told = stack
      .printed()
      .split('\n')
      .filter((line) => line.includes('traces cannot be delivered'))
    expect(told).toHaveLength(1)
  })
})

describe('without an endpoint', () => {
  test('neither the SDK of OpenTelemetry nor figures of a worker are loaded, and nothing of traces is kept', async () => {
    const listing = join(folder, 'loaded')
    const hook = join(folder, 'hook.mjs')
    await writeFile(hook, LISTING)
    const env = { NODE_OPTIONS: `--import=${hook}`, LISTING: listing }
    await stack.startWorker(env)
    api = await startApi({ ...apiEnv(), ...env })
    const run = await play()
    await stack.stopWorker()
    await api.stop()
    const loaded = (await readFile(listing, 'utf8')).split('\n')
    const those = (pattern: RegExp) => loaded.filter((url) => pattern.test(url))
    expect(those(/packages\/process\/src\/open-tracing\.ts$/)).toHaveLength(2)
    // prom-client brings OpenTelemetry's interfaces, which do nothing.
    expect(those(/node_modules\/@opentelemetry\/(?!api\/)|tracing-sdk/)).toEqual([])
    // The API has its figures at hand always, a worker only where they are served.
    expect(those(/node_modules\/prom-client\/index\.js$/)).toHaveLength(1)
    const { rows } = await stack.pool.query(
      "select data ? 'traceparent' as kept from devflow.run_events where run_id = $1 and key = 'run/submitted'",
      [run],
    )
    expect(rows).toEqual([{ kept: false }])
  })
})
