import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { testDatabase } from '@devflow/db/testing'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { readFrames } from './read-frames.fixture.ts'

const main = fileURLToPath(new URL('./main.ts', import.meta.url))
let database: Awaited<ReturnType<typeof testDatabase>>
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.close())

interface Started {
  child: ChildProcess
  url: string
  ended: Promise<unknown[]>
  printed: () => string
}

/** The API as a process of its own, ready. */
async function start(env: Record<string, string> = {}): Promise<Started> {
  const child = launch(env)
  const ended = once(child, 'exit')
  let printed = ''
  child.stderr?.on('data', (text) => {
    printed += text
  })
  const [ready] = (await Promise.race([
    once(child, 'message'),
    ended.then(() => Promise.reject(new Error(printed))),
  ])) as [{ port: number }]
  return { child, url: `http://127.0.0.1:${ready.port}`, ended, printed: () => printed }
}

function launch(env: Record<string, string>): ChildProcess {
  const child = fork(main, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: '127.0.0.1:1',
      DEVFLOW_PORT: '0',
      ...env,
    },
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  return child
}

test('answers over HTTP with Temporal away, and drains open streams on SIGTERM', async () => {
  const { child, url, ended } = await start()
  expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' })
  const ready = await fetch(`${url}/readyz`)
  expect([ready.status, ready.headers.get('retry-after')]).toEqual([503, '2'])
  expect(await ready.json()).toMatchObject({ code: 'not_ready', errors: [{ path: 'temporal' }] })
  const body = JSON.stringify({
    template: 'spec-and-review@1',
    input: { request: 'x' },
    bindings: {
      'spec-writer': 'offline-spec-writer@1',
      reviewer: 'offline-code-reviewer@1',
      verifier: 'offline-verifier@1',
    },
  })
  const made = await fetch(`${url}/v1/runs`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  })
  const run = (await made.json()) as { id: string; status: string }
  expect([made.status, run.status]).toEqual([201, 'queued'])
  const stream = await fetch(`${url}/v1/runs/${run.id}/events`, { headers: { accept: 'text/event-stream' } })
  const reading = readFrames(stream, { onFrame: () => child.kill('SIGTERM') })
  expect((await reading).map((frame) => frame.event)).toEqual(['run.submitted'])
  expect(await ended).toEqual([0, null])
})

test('bytes that are no HTTP are answered with a problem', async () => {
  const { url } = await start()
  const say = async (text: string) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write(text)
    let answer = ''
    for await (const part of socket) answer += part
    return answer
  }
  for (const text of ['nonsense\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n']) {
    expect(await say(text)).toMatch(/^HTTP\/1.1 40[03] .*application\/problem\+json.*"kind":/s)
  }
})

test('starts while Postgres is away: requests are 503 with Retry-After, and nothing crashes', async () => {
  const { url, child, printed } = await start({
    DATABASE_URL: 'postgres://nobody:hunter2hunter2@127.0.0.1:1/none',
  })
  for (const path of ['/v1/runs', `/v1/runs/${crypto.randomUUID()}`, '/v1/gates']) {
    const answer = await fetch(url + path)
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2'])
    expect(await answer.json()).toMatchObject({ kind: 'UNAVAILABLE', code: 'database_away' })
  }
  expect(child.exitCode).toBeNull()
  expect(printed()).not.toContain('hunter2')
})

test.each([
  [{ DATABASE_URL: '' }, /DATABASE_URL is not set/],
  [{ DEVFLOW_HOST: '0.0.0.0' }, /DEVFLOW_TOKEN/],
])('refuses to start with %j, in words', async (env, words) => {
  const child = launch(env as Record<string, string>)
  let printed = ''
  child.stderr?.on('data', (text) => {
    printed += text
  })
  expect(await once(child, 'exit')).toEqual([2, null])
  expect(printed).toMatch(words)
})
