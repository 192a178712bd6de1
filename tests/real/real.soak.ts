import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { openRouterModel } from '@devflow/activities'
import {
  type ChatBody,
  type FakeOpenRouter,
  type FakeReply,
  type FakeRequest,
  readRecording,
  startFakeOpenRouter,
  startPlayer,
} from '@devflow/testing'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { ROOT } from './stack.ts'

const KEY = 'sk-or-v1-0123456789abcdef-of-the-test'

/** What each phase completes with, after a look around. */
const CONTENTS: Record<string, unknown> = {
  spec: {
    title: 'Runs of one template',
    summary: 'The list can be narrowed.',
    requirements: [{ id: 'R1', text: '`devflow runs --template x` lists the runs of x alone.' }],
    acceptance: ['With two templates, the runs of one are listed.'],
  },
  review: { summary: 'It can be built.', findings: [] },
  verify: {
    verdict: 'pass',
    reasons: ['R1 can be tested.'],
    checks: [{ requirement: 'R1', status: 'pass', evidence: 'apps/cli/src/commands/runs.ts' }],
  },
}

/** Says where the checkout is and whose key it is, as a careless provider might. */
function agent({ session, messages }: FakeRequest): FakeReply {
  const phase = Object.keys(CONTENTS).find((name) => session.includes(`/${name}/`)) ?? ''
  const turn = messages.filter(({ role }) => role === 'assistant').length + 1
  if (turn === 1)
    return {
      content: `I look into ${ROOT}/apps, with ${KEY}.`,
      chunks: 1,
      toolCalls: [{ id: `call_${phase}`, name: 'list_dir', arguments: { path: 'apps' } }],
    }
  return {
    content: 'Done.',
    toolCalls: [{ id: `call_${phase}`, name: 'complete', arguments: { content: CONTENTS[phase] } }],
  }
}

let fake: FakeOpenRouter
let folder: string
beforeEach(async () => {
  fake = await startFakeOpenRouter({ handler: agent })
  folder = await mkdtemp(join(tmpdir(), 'devflow-real-test-'))
})
afterEach(async () => {
  await fake.close()
  await rm(folder, { recursive: true, force: true })
})

/** The script, as `npm run e2e:real` starts it, before the stand-in. */
function start(apiKey = KEY) {
  const child = spawn(process.execPath, [join(ROOT, 'scripts', 'e2e-real.mjs')], {
    cwd: ROOT,
    env: {
      ...process.env,
      OPENROUTER_API_KEY: apiKey,
      OPENROUTER_BASE_URL: fake.baseURL,
      DEVFLOW_RECORDING: join(folder, 'recording'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const printed = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (text) => {
      printed[name] += text
    })
  const ended = once(child, 'close').then(([code]) => ({ code, ...printed }))
  onTestFinished(async () => {
    child.kill('SIGTERM')
    await ended
  })
  return { child, printed, ended }
}

test('without a key it says which variable is missing, where a key is made and what it costs', async () => {
  const { code, stdout, stderr } = await start('').ended
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(/^OPENROUTER_API_KEY is not set/m)
  expect(stderr).toContain('https://openrouter.ai/keys')
  expect(stderr).toContain('at most 0.10 USD')
  expect(fake.requests).toHaveLength(0)
})

test('a completed run is recorded without what is private, and can be played', async () => {
  const { code, stdout, stderr } = await start().ended
  expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain('Completed: {')
  const usd = (fake.billedMicroUsd() / 1e6).toFixed(6)
  expect(stdout).toContain(`6 calls: the ledger says ${usd} USD, the provider ${usd} USD\n`)

  const exchanges = await readRecording(join(folder, 'recording'))
  expect(exchanges.map(({ request }) => `${request.method} ${request.path}`)).toEqual(
    Array(6).fill('POST /chat/completions'),
  )
  const all = JSON.stringify(exchanges)
  for (const secret of [KEY, ROOT, `"${homedir()}/`, ...fake.requests.map(({ id }) => id)])
    expect(all).not.toContain(secret)
  expect(all.toLowerCase()).not.toContain('"authorization"')
  expect(all).toContain('I look into /checkout/apps, with sk-scrubbed.')

  const player = await startPlayer(exchanges)
  try {
    const adapter = openRouterModel({ apiKey: 'none', baseURL: player.baseURL })
    const replies: { content: string; tools: string[] }[] = []
    for (const { request } of exchanges) {
      const { model: name, max_tokens, session_id } = request.body as ChatBody
      const events = adapter.stream(
        {
          model: { provider: 'openrouter', name },
          messages: [{ role: 'user', content: 'Go on.' }],
          tools: [],
          maxOutputTokens: max_tokens ?? 0,
          sessionId: session_id ?? '',
          phase: 'any',
          attempt: 1,
          turn: 1,
        },
        new AbortController().signal,
      )
      for await (const event of events)
        if (event.kind === 'done')
          replies.push({ content: event.content, tools: event.toolCalls.map((call) => call.name) })
    }
    const phase = [
      { content: 'I look into /checkout/apps, with sk-scrubbed.', tools: ['list_dir'] },
      { content: 'Done.', tools: ['complete'] },
    ]
    expect(replies).toEqual([...phase, ...phase, ...phase])
  } finally {
    await player.close()
  }
})

test('a run that fails is not recorded', async () => {
  fake.script(() => ({ scenario: '401' }))
  const { code, stderr } = await start().ended
  expect(code).toBe(1)
  expect(stderr).toMatch(/^Run \S+ is failed: provider_\w+: .*Nothing was recorded\.\n$/s)
  expect(existsSync(join(folder, 'recording'))).toBe(false)
})

test('Ctrl-C ends all that it started, and records nothing', async () => {
  fake.script(() => ({ delayMs: 600_000 }))
  const { child, printed, ended } = start()
  await Promise.race([
    fake.waitForRequests(1, 100_000),
    ended.then(({ stderr }) => {
      throw new Error(`it ended by itself: ${stderr}`)
    }),
  ])
  const api = /Devflow is at (\S+)/.exec(printed.stdout)?.[1] ?? ''
  expect((await fetch(`${api}/v1/runs`)).status).toBe(200)
  child.kill('SIGINT')
  const { code, stderr } = await ended
  expect({ code, stderr }).toEqual({ code: 130, stderr: 'Ended by SIGINT. Nothing was recorded.\n' })
  await expect(fetch(`${api}/v1/runs`)).rejects.toThrow()
  await fake.waitFor(([first]) => first?.abortedAt !== undefined)
  expect(await readdir(folder)).toEqual([])
})
