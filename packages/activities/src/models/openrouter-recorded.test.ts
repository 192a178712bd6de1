import {
  type ChatBody,
  costUsdIn,
  type Exchange,
  type FakeReply,
  readRecordings,
  type ScenarioName,
  scrubbed,
  startFakeOpenRouter,
  startForwarder,
  startPlayer,
  textOf,
} from '@devflow/testing'
import { expect, onTestFinished, test } from 'vitest'
import { ModelError, type ModelEvent, type ModelRequest } from './model.ts'
import { openRouterModel } from './openrouter.ts'

/** What the adapter makes of an answer: its events, and how it fails. */
async function heard(baseURL: string, more: Partial<ModelRequest> = {}) {
  const adapter = openRouterModel({ apiKey: 'sk-or-v1-of-the-test', baseURL })
  const request: ModelRequest = {
    model: { provider: 'openrouter', name: 'deepseek/deepseek-chat' },
    messages: [{ role: 'user', content: 'Say something.' }],
    tools: [],
    maxOutputTokens: 1000,
    sessionId: 'run/spec/1',
    phase: 'spec',
    attempt: 1,
    turn: 1,
    ...more,
  }
  const events: ModelEvent[] = []
  try {
    for await (const event of adapter.stream(request, new AbortController().signal)) events.push(event)
    return { events }
  } catch (error) {
    if (!(error instanceof ModelError)) throw error
    const { kind, code, message } = error
    return { events, error: { kind, code, message } }
  }
}

/** Asks through a forwarder and then whoever plays what it kept. */
async function liveAndPlayed(reply: FakeReply) {
  const fake = await startFakeOpenRouter({ handler: () => reply })
  onTestFinished(fake.close)
  const forwarder = await startForwarder({ upstream: fake.baseURL, limitMicroUsd: 100_000 })
  const live = await heard(forwarder.baseURL)
  await forwarder.close()
  const exchanges = scrubbed(forwarder.exchanges, { secrets: ['sk-or-v1-of-the-test'], folders: {} })
  const player = await startPlayer(exchanges)
  onTestFinished(player.close)
  return { live, played: await heard(player.baseURL) }
}

/** But for the generation's name, which is another one in a recording. */
const withoutIds = ({ events, ...rest }: Awaited<ReturnType<typeof heard>>) => ({
  ...rest,
  events: events.map((event) => (event.kind === 'generation' ? { kind: event.kind } : event)),
})

test.each<ScenarioName | '429' | '503'>([
  'happy_text',
  'comments_between',
  'byte_torn',
  'tool_parallel_two',
  'claude_signature',
  'usage_missing',
  'err_after_text',
  'rst_mid_tool',
  'ok200_error_body',
  '429',
  '503',
])('a recorded %s is to the adapter what it was when it was recorded', async (scenario) => {
  const { live, played } = await liveAndPlayed({ scenario })
  expect(live.events.length + (live.error ? 1 : 0)).toBeGreaterThan(0)
  expect(withoutIds(played)).toEqual(withoutIds(live))
})

/** A request that is answered as the recorded one was. */
const requestOf = ({ request }: Exchange): Partial<ModelRequest> => {
  const { model: name, max_tokens } = request.body as ChatBody
  return { model: { provider: 'openrouter', name }, maxOutputTokens: max_tokens ?? 0 }
}

/** What `npm run e2e:real` recorded, as far as somebody with a key has done so. */
test('every reply of the kept recordings is understood, to its cost', async () => {
  for (const { name, exchanges } of await readRecordings()) {
    const chats = exchanges.filter(
      ({ request, response }) => request.method === 'POST' && response.end === 'whole',
    )
    expect(chats, name).not.toEqual([])
    expect(JSON.stringify(exchanges), name).not.toMatch(/\bsk-or-|\buser_(?!scrubbed)[A-Za-z0-9]{12,}/)
    const player = await startPlayer(chats)
    try {
      for (const exchange of chats) {
        const { events, error } = await heard(player.baseURL, requestOf(exchange))
        const at = `${name} ${exchange.n}`
        // The run went on after it: it was told apart, and tried again.
        if (exchange.response.status !== 200 || textOf(exchange).includes('"error":')) {
          expect(error?.kind ?? 'UNKNOWN', at).not.toBe('UNKNOWN')
          continue
        }
        expect(events.at(-1)?.kind, `${at}: ${error?.message}`).toBe('done')
        const usage = events.find((event) => event.kind === 'usage')?.usage
        const usd = costUsdIn(textOf(exchange))
        expect(usage?.costMicroUsd?.toFixed(5), at).toBe(
          usd === undefined ? undefined : (usd * 1e6).toFixed(5),
        )
      }
    } finally {
      await player.close()
    }
  }
})
