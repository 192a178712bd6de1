import { rm } from 'node:fs/promises'
import { readPriceLists, requestPriceRefresh } from '@devflow/db'
import { playAgent } from '@devflow/testing'
import { afterAll, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { playLongSession } from '../support/long-session.ts'
import { smallRepository } from '../support/repository.ts'
import { eventsOf, type Standing } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack()
const repo = await smallRepository()
afterAll(() => rm(repo, { recursive: true, force: true }))

interface Part {
  turns: number
  /** What the persona says; absent: nothing. */
  window?: number
  model?: string
  more?: string
}

/** A run whose one agent looks at a file so many turns, in a window of so many tokens. */
async function look({ turns, window, model = 'deepseek/deepseek-chat', more = '' }: Part): Promise<string> {
  const prompt = `[turns=${turns}] [tool=read_file {"path":"README.md"}] [chunks=2] [[complete:"looked"]] ${more}`
  return await stack.submit(
    `
kind: template
id: looking@1
roles: { looker: { persona: looker@1 } }
phases:
  - { id: look, agent: { role: looker, prompt: ${JSON.stringify(prompt)} } }
---
kind: persona
id: looker@1
model: { provider: openrouter, name: ${model}, maxOutputTokens: 200, maxTurns: 400${window === undefined ? '' : `, contextWindow: ${window}`} }
tools: [read_file]
`,
    { workspace: { repo } },
  )
}

const requestsOf = (run: Standing) => stack.fake.requests.filter(({ session }) => session.startsWith(run.id))

type Request = (typeof stack.fake.requests)[number]
type Sent = Request['body']['messages']
const isSummary = ({ body }: Request): boolean =>
  /has become too long/.test(String(body.messages.at(-1)?.content))

/** Whether a conversation is one that a provider takes: the prompt first, every result after its call, every call answered. */
function expectWhole(messages: Sent): void {
  expect(messages.slice(0, 2).map(({ role }) => role)).toEqual(['system', 'user'])
  let open: string[] = []
  for (const message of messages) {
    if (message.role === 'tool') {
      expect(open).toContain(message.tool_call_id)
      open = open.filter((id) => id !== message.tool_call_id)
    } else {
      expect(open).toEqual([])
      open = message.role === 'assistant' ? (message.tool_calls ?? []).map(({ id }) => id) : []
    }
  }
  expect(open).toEqual([])
}

/** Every request begins with all of the one before it, byte for byte; only where turns were summarised it begins anew. */
function expectStable(requests: Request[], compacted: number): void {
  let anew = 0
  for (const [index, { body }] of requests.entries()) {
    const before = requests[index - 1]
    if (!before) continue
    expect(JSON.stringify(body.tools)).toBe(JSON.stringify(before.body.tools))
    // A summary is asked for of what was sent before: its last message alone is new, and gone afterwards.
    const kept = isSummary(before) ? before.body.messages.slice(0, -1) : before.body.messages
    const text = (messages: Sent) => JSON.stringify(messages).slice(0, -1)
    const isNew = isSummary(requests[index] as Request)
      ? !text(kept).startsWith(text(body.messages.slice(0, -1)))
      : !text(body.messages).startsWith(text(kept))
    if (isNew) anew += 1
  }
  expect(anew).toBe(compacted)
}

test('a conversation that fills its window is summarised, again and again, and ends as it would have', async () => {
  const id = await look({ turns: 60, window: 2_500 })
  await stack.untilEvent(id, 'context.compacted', 2)
  // What is made anew from the log after a pause is what would have been sent without it.
  await stack.command(id, 'pause')
  await stack.untilEvent(id, 'run.paused')
  await stack.command(id, 'resume')
  const end = await stack.untilStatus(id, 'completed')
  const compactions = eventsOf(end, 'context.compacted')
  expect(eventsOf(end, 'turn.completed').map(({ turn }) => turn)).toEqual(
    Array.from({ length: 61 }, (_, index) => index + 1),
  )
  expect(compactions.length).toBeGreaterThanOrEqual(3)
  for (const { data, turn } of compactions) {
    expect(data).toMatchObject({ by: 'model', summary: `All is well after turn ${data.upToTurn}.` })
    expect(data.upToTurn).toBe(Number(turn) - 5)
    expect(Number(data.tokensAfter)).toBeLessThan(Number(data.tokensBefore) * 0.7)
  }
  const requests = requestsOf(end)
  for (const { body } of requests) expectWhole(body.messages)
  expect(requests.filter(isSummary)).toHaveLength(compactions.length)
  expectStable(requests, compactions.length)
  // A summary is a row of the ledger like any other, and nothing of it is shown as the turn's text.
  const { rows } = await stack.pool.query<{ calls: number; settled: number; shown: number }>(
    `select count(*)::int as calls, count(*) filter (where status = 'settled' and cost_micro_usd > 0)::int as settled,
       (select count(*)::int from devflow.run_chunks where run_id = $1 and text like '%All is well%') as shown
     from devflow.model_calls where run_id = $1`,
    [id],
  )
  expect(rows[0]).toEqual({ calls: requests.length, settled: requests.length, shown: 0 })
})

test('a conversation that its provider finds too long is summarised and sent again', async () => {
  // It is believed to have room for much more than its provider takes.
  const end = await stack.untilStatus(
    await look({ turns: 30, window: 100_000, more: '[window=8000]' }),
    'completed',
  )
  const compactions = eventsOf(end, 'context.compacted')
  expect(compactions.length).toBeGreaterThanOrEqual(1)
  const refused = eventsOf(end, 'turn.failed')
  expect(refused.length).toBeGreaterThanOrEqual(compactions.length)
  expect(
    refused.every(({ data }) => (data.error as { code: string }).code === 'context_length_exceeded'),
  ).toBe(true)
  for (const { body } of requestsOf(end)) expectWhole(body.messages)
  expect(eventsOf(end, 'turn.completed')).toHaveLength(31)
})

/** Has the provider's list read, with these models in it and what they take in. */
async function listed(windows: Record<string, number>): Promise<void> {
  const data = Object.entries(windows).map(([id, context_length]) => ({
    id,
    context_length: 1_000_000,
    top_provider: { context_length },
    pricing: { prompt: '1e-7', completion: '1e-7' },
  }))
  stack.fake.listModels({ body: JSON.stringify({ data }) })
  await requestPriceRefresh(stack.pool, 'openrouter')
  await eventually(
    () => readPriceLists(stack.pool),
    ([list]) => list?.isAwaited === false && list.models === data.length,
  )
}

/** The greatest prompts of a run, in tokens as the provider counts them. */
const most = (run: Standing): number =>
  Math.max(...eventsOf(run, 'context.compacted').map(({ data }) => Number(data.tokensBefore)))

test('a window that the list of models says counts where the persona says none', async () => {
  await listed({ 'listed/small': 2_500, 'listed/other': 2_500 })
  const [small, told] = await Promise.all([
    look({ turns: 25, model: 'listed/small' }),
    look({ turns: 25, model: 'listed/other', window: 100_000 }),
  ])
  const end = await stack.untilStatus(small, 'completed')
  expect(eventsOf(end, 'context.compacted').length).toBeGreaterThanOrEqual(1)
  expect(most(end)).toBeGreaterThan(0.7 * 2_500)
  expect(most(end)).toBeLessThan(2_500)
  expect(eventsOf(await stack.untilStatus(told, 'completed'), 'context.compacted')).toEqual([])
})

test('a fallback takes in what the list says of it, from its first call on', async () => {
  await listed({ 'listed/large': 500_000, 'listed/narrow': 2_500 })
  stack.fake.script((request) => {
    const isLate = request.messages.length > 50
    return request.model === 'listed/large' && isLate ? { scenario: '404' } : playAgent(request)
  })
  try {
    const id = await look({ turns: 30, model: 'listed/large, fallbacks: [listed/narrow]' })
    const end = await stack.untilStatus(id, 'completed')
    const [fallback] = eventsOf(end, 'model.fallback')
    const [first] = eventsOf(end, 'context.compacted')
    expect(first?.turn).toBe(fallback?.turn)
    // It is asked to sum up what its predecessor said, and sees no more of it than it takes in.
    const [, ...turns] = requestsOf(end).filter(({ body }) => body.model === 'listed/narrow')
    for (const { body } of turns) expect(JSON.stringify(body.messages).length / 4).toBeLessThan(2_500)
    for (const { body } of requestsOf(end)) expectWhole(body.messages)
  } finally {
    stack.fake.script(playAgent)
  }
})

test('a prompt that is too long by itself fails the phase, with the words of its provider', async () => {
  const end = await stack.untilStatus(
    await look({ turns: 3, window: 100_000, more: '[window=100]' }),
    'failed',
  )
  expect(end.phases.look?.error).toMatchObject({ kind: 'INVALID', code: 'context_length_exceeded' })
  expect(requestsOf(end)).toHaveLength(1)
})

test('the two hundredth turn costs the worker what an early one does', async () => {
  await playLongSession(stack, repo, 60)
  const { turns, compactions, cpuMs } = await playLongSession(stack, repo, 200)
  expect(turns).toBe(200)
  expect(compactions).toBeGreaterThan(5)
  // The machine may be busy with other things: what grows with the session is more than this.
  expect(cpuMs(140, 200) / cpuMs(10, 70)).toBeLessThan(1.6)
})
