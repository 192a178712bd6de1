import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FAKE_OPENROUTER_MAIN, type FakeOpenRouter, type FakeReply, startFakeOpenRouter } from '../index.ts'

let fake: FakeOpenRouter
beforeEach(async () => {
  fake = await startFakeOpenRouter()
})
afterEach(() => fake.close())

const headers = { authorization: 'Bearer sk-or-v1-x', 'content-type': 'application/json' }
const body = (more: object = {}) =>
  JSON.stringify({
    model: 'openai/gpt-4o-mini',
    messages: [{ role: 'user', content: 'hi' }],
    stream: true,
    ...more,
  })
const post = (more: object = {}, signal?: AbortSignal, base = fake.baseURL) =>
  fetch(`${base}/chat/completions`, { method: 'POST', headers, body: body(more), signal })
const get = (path: string) => fetch(`${fake.baseURL}${path}`, { headers })
const reply = (given: FakeReply) => fake.script(() => given)

const chunksOf = (text: string) =>
  text
    .split('\n\n')
    .filter((frame) => frame.startsWith('data: {'))
    .map((frame) => JSON.parse(frame.slice(6)))

describe('a streamed answer', () => {
  test('has the form OpenRouter was recorded with', async () => {
    reply({ content: 'ab', chunks: 2, usage: { promptTokens: 67, completionTokens: 5 } })
    const response = await post()
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const text = await response.text()
    expect(text.startsWith(': OPENROUTER PROCESSING\n\n')).toBe(true)
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
    const chunks = chunksOf(text)
    const id = response.headers.get('x-generation-id')
    expect(id).toMatch(/^gen-\d+-[A-Za-z0-9]{20}$/)
    for (const chunk of chunks)
      expect(chunk).toMatchObject({ id, model: 'openai/gpt-4o-mini-2024-07-18', provider: 'OpenAI' })
    expect(chunks.map(({ choices }) => choices[0].delta)).toEqual([
      { role: 'assistant', content: 'a' },
      { role: 'assistant', content: 'b' },
      { role: 'assistant', content: '' },
      { role: 'assistant', content: '' },
    ])
    expect(chunks.map(({ choices }) => choices[0].finish_reason)).toEqual([null, null, 'stop', 'stop'])
    expect(chunks.at(-1).usage).toMatchObject({ prompt_tokens: 67, completion_tokens: 5, cost: 0.00001305 })
    expect(fake.billedMicroUsd()).toBe(13.05)
  })

  test('that the client leaves is billed for what was produced, and told by /generation after its misses', async () => {
    fake.generationMisses(1)
    reply({ content: 'x'.repeat(400), chunks: 100, chunkDelayMs: 5 })
    const controller = new AbortController()
    const response = await post({}, controller.signal)
    const reader = response.body?.getReader()
    await reader?.read()
    controller.abort()
    await fake.waitFor(([first]) => first?.abortedAt !== undefined)
    const [first] = fake.requests
    const id = first?.id ?? ''
    expect((await get(`/generation?id=${id}`)).status).toBe(404)
    const { data } = (await (await get(`/generation?id=${id}`)).json()) as { data: Record<string, number> }
    expect(data).toMatchObject({ cancelled: true, native_tokens_completion: first?.producedTokens })
    expect(first?.billedMicroUsd).toBe(Number(((data.total_cost ?? 0) * 1e6).toFixed(6)))
  })

  test('of a provider that cannot cancel is billed whole', async () => {
    reply({
      content: 'x'.repeat(400),
      chunks: 100,
      chunkDelayMs: 5,
      cancellable: false,
      cost: '0.000042',
    })
    const controller = new AbortController()
    const response = await post({}, controller.signal)
    await response.body?.getReader().read()
    controller.abort()
    await fake.waitFor(([first]) => first?.abortedAt !== undefined)
    expect(fake.billedMicroUsd()).toBe(42)
  })

  test('that ends in an error is not billed', async () => {
    reply({ scenario: 'err_after_text' })
    await (await post()).text()
    await fake.waitFor(([first]) => first?.finishedAt !== undefined)
    expect(fake.billedMicroUsd()).toBe(0)
  })
})

test('a whole answer comes after keep-alive blanks and parses', async () => {
  reply({ toolCalls: [{ name: 'read_file', arguments: { path: 'a' } }] })
  const text = await (await post({ stream: false })).text()
  expect(text.startsWith('\n')).toBe(true)
  expect(JSON.parse(text).choices[0]).toMatchObject({
    finish_reason: 'tool_calls',
    message: { content: null, tool_calls: [{ function: { name: 'read_file', arguments: '{"path":"a"}' } }] },
  })
})

test('a request without a key is refused', async () => {
  const response = await fetch(`${fake.baseURL}/chat/completions`, { method: 'POST', body: body() })
  expect(response.status).toBe(401)
})

test('models and key answer in their documented form', async () => {
  const models = (await (await get('/models')).json()) as { data: { id: string; pricing: object }[] }
  expect(models.data.find(({ id }) => id === 'openai/gpt-4o-mini')?.pricing).toMatchObject({
    prompt: '0.00000015',
  })
  expect(await (await get('/key')).json()).toMatchObject({ data: { limit_remaining: null } })
})

describe('the played agent', () => {
  const prompt = '[turns=2] [chunks=3]\n[[complete:{"list":[[1]],"title":"t"}]]'
  const tools = ['list_dir', 'complete'].map((name) => ({ type: 'function', function: { name } }))
  const turn = async (assistantTurns: number) => {
    const said = Array.from({ length: assistantTurns }, () => ({ role: 'assistant', content: 'x' }))
    const response = await post({ tools, messages: [{ role: 'user', content: prompt }, ...said] })
    const deltas = chunksOf(await response.text()).flatMap(({ choices }) => choices[0].delta.tool_calls ?? [])
    return {
      id: deltas[0].id,
      name: deltas[0].function.name,
      arguments: deltas
        .map((delta: { function: { arguments: string } }) => delta.function.arguments)
        .join(''),
    }
  }

  test('answers by the messages alone: tools first, then complete with the content the prompt holds', async () => {
    const first = await turn(0)
    expect(first).toMatchObject({ name: 'list_dir', arguments: '{"path":"."}' })
    expect(await turn(0)).toEqual(first)
    expect(await turn(1)).toMatchObject({ name: 'list_dir' })
    const last = await turn(2)
    expect(last.name).toBe('complete')
    expect(JSON.parse(last.arguments)).toEqual({ content: { list: [[1]], title: 't' } })
  })
})

test('runs as a process of its own and shows what it was asked', async () => {
  const child = spawn(process.execPath, [FAKE_OPENROUTER_MAIN], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const { port, baseURL } = JSON.parse(line) as { port: number; baseURL: string }
  await (await post({ session_id: 'a/b' }, undefined, baseURL)).text()
  const shown = await (await fetch(`http://127.0.0.1:${port}/_fake/requests`)).json()
  expect(shown).toMatchObject({ requests: [{ n: 1, session: 'a/b', messages: 1, assistantTurns: 0 }] })
  const ofOthers = await (await fetch(`http://127.0.0.1:${port}/_fake/requests?session=b`)).json()
  expect(ofOthers).toMatchObject({ requests: [] })
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
})
