import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import {
  type Exchange,
  type FakeOpenRouter,
  type FakeReply,
  readRecording,
  scrubbed,
  startFakeOpenRouter,
  startForwarder,
  startPlayer,
  textOf,
  writeRecording,
} from '../index.ts'

let fake: FakeOpenRouter
beforeEach(async () => {
  fake = await startFakeOpenRouter()
})
afterEach(() => fake.close())

async function forwarder(limitMicroUsd = 100_000, upstream = fake.baseURL) {
  const started = await startForwarder({ upstream, limitMicroUsd })
  onTestFinished(started.close)
  return started
}

const ask = (baseURL: string, more: object = {}, signal?: AbortSignal) =>
  fetch(`${baseURL}/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-or-v1-test-key', 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'deepseek/deepseek-chat',
      messages: [{ role: 'user', content: 'Say something.' }],
      max_tokens: 1000,
      stream: true,
      ...more,
    }),
    signal,
  })

const answer = (reply: FakeReply) => fake.script(() => reply)

test('a reply comes through as it is, event by event, and is kept with its cost', async () => {
  answer({ content: 'a b c', chunks: 3 })
  const { baseURL, exchanges, billedMicroUsd } = await forwarder()
  const response = await ask(baseURL)
  const text = await response.text()
  await expect.poll(() => exchanges[0]?.response.end).toBe('whole')
  const [first] = exchanges
  expect(first?.request).toMatchObject({ method: 'POST', path: '/chat/completions' })
  expect(first?.response.headers).toEqual({
    'content-type': 'text/event-stream',
    'x-generation-id': fake.requests[0]?.id,
  })
  expect(response.headers.get('x-generation-id')).toBe(fake.requests[0]?.id)
  expect(first?.response.pieces.map((piece) => piece.text).join('')).toBe(text)
  expect(first?.response.pieces.every((piece) => piece.text.endsWith('\n\n'))).toBe(true)
  expect(first?.response.pieces.length).toBeGreaterThan(4)
  expect(JSON.stringify(exchanges)).not.toContain('sk-or-v1-test-key')
  expect(billedMicroUsd()).toBe(fake.billedMicroUsd())
})

test('nothing is held back: the first event is there while the provider keeps the rest', async () => {
  answer({ scenario: 'stall_comments' })
  const { baseURL } = await forwarder()
  const leave = new AbortController()
  const reader = (await ask(baseURL, {}, leave.signal)).body?.getReader()
  expect((await reader?.read())?.value?.length).toBeGreaterThan(0)
  expect(fake.requests[0]?.finishedAt).toBeUndefined()
  leave.abort()
  await fake.waitFor(([first]) => first?.abortedAt !== undefined)
})

test('a reply that breaks off breaks off for the client, and when it is played', async () => {
  answer({ scenario: 'rst_mid_tool' })
  const { baseURL, exchanges } = await forwarder()
  await expect(ask(baseURL).then((response) => response.text())).rejects.toThrow()
  await expect.poll(() => exchanges[0]?.response.pieces.length).toBeGreaterThan(0)
  expect(exchanges[0]?.response.end).toBe('cut')
  const player = await startPlayer(exchanges)
  onTestFinished(player.close)
  await expect(ask(player.baseURL).then((response) => response.text())).rejects.toThrow()
})

test('a provider that is not there is an answer of 502', async () => {
  const { baseURL } = await forwarder(100_000, fake.baseURL)
  await ask(baseURL).then((response) => response.text())
  await fake.close()
  const response = await ask(baseURL)
  expect([response.status, await response.text()]).toEqual([502, expect.stringContaining('not reached')])
  fake = await startFakeOpenRouter()
})

test('a call that might bring the sum above the limit is not sent', async () => {
  // A call of these may cost 920 micro-dollars; billed are 2 to 300.
  answer({ cost: '0.0003' })
  const refusing = await forwarder(1_200)
  const statuses: number[] = []
  for (const _ of [1, 2, 3]) {
    const response = await ask(refusing.baseURL)
    statuses.push(response.status)
    await response.text()
    await expect.poll(() => refusing.exchanges.every(({ response }) => response.end === 'whole')).toBe(true)
  }
  expect(statuses).toEqual([200, 402, 402])
  expect(refusing.refused).toMatch(/micro-dollars, and 1200 are the limit/)
  expect(fake.requests).toHaveLength(1)
})

test('a call whose cost was not told counts as what it might have cost', async () => {
  answer({ scenario: 'usage_missing' })
  const careful = await forwarder(1_200)
  await (await ask(careful.baseURL)).text()
  expect((await ask(careful.baseURL)).status).toBe(402)
  expect([careful.billedMicroUsd(), careful.unknownCosts()]).toEqual([0, 1])
})

test('a call without a bound, or of a model without a price, is not sent', async () => {
  const { baseURL } = await forwarder()
  expect((await ask(baseURL, { max_tokens: undefined })).status).toBe(402)
  expect((await ask(baseURL, { model: 'nobody/nothing' })).status).toBe(402)
  expect(fake.requests).toHaveLength(0)
})

const exchange = (text: string, body: unknown = {}): Exchange => ({
  format: 1,
  n: 1,
  atMs: 0,
  request: { method: 'POST', path: '/chat/completions', body },
  response: { status: 200, headers: {}, pieces: [{ ms: 1, text }], end: 'whole' },
})

test('what is private becomes something else, everywhere the same, and figures keep their digits', () => {
  const id = 'gen-1784123456-AbCdEfGhIjKlMnOpQrSt'
  const other = 'gen-1784123457-AbCdEfGhIjKlMnOpQrSt'
  const [first, second] = scrubbed(
    [
      exchange(
        `data: {"id":"${id}","user_id":"user_2abcdefGHIJ4567","app_id": 1234,"usage":{"cost":4.51e-06}}\n\n`,
        { messages: [{ content: 'in /home/kim/devflow/src, not /home/kim/devflow-2; sk-secret' }] },
      ),
      exchange(`data: {"id":"${other}","of":"${id}","say":"a key sk-or-v1-abc...xyz"}\n\n`),
    ],
    { secrets: ['sk-secret'], folders: { '/home/kim/devflow': '/checkout' } },
  )
  expect(first && textOf(first)).toBe(
    'data: {"id":"gen-1-recorded000000000001","user_id":"scrubbed","app_id": 0,"usage":{"cost":4.51e-06}}\n\n',
  )
  expect(first?.request.body).toEqual({
    messages: [{ content: 'in /checkout/src, not /home/kim/devflow-2; sk-scrubbed' }],
  })
  expect(second && textOf(second)).toBe(
    'data: {"id":"gen-1-recorded000000000002","of":"gen-1-recorded000000000001","say":"a key sk-scrubbed"}\n\n',
  )
})

test.each([
  ['/home/kim', /where \/you is/],
  ['sk-or-v1-12345678', /says a key/],
])('what events spell letter by letter is found: %s', (told, refusal) => {
  const spelled = [...told].map((letter) => `data: {"choices":[{"delta":{"content":"${letter}"}}]}\n\n`)
  expect(() =>
    scrubbed([exchange(spelled.join(''))], { secrets: [], folders: { '/home/kim': '/you' } }),
  ).toThrow(refusal)
})

test('a recording replaces the one before it, whole', async () => {
  const home = await mkdtemp(join(tmpdir(), 'devflow-recording-'))
  onTestFinished(() => rm(home, { recursive: true, force: true }))
  const folder = join(home, 'some')
  const one = exchange('one')
  await writeRecording(folder, [one, { ...exchange('two'), n: 2 }])
  expect(await writeRecording(folder, [one])).toEqual([join(folder, '001.json')])
  expect(await readRecording(folder)).toEqual([one])
  expect(await readdir(home)).toEqual(['some'])
})
