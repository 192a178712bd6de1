import type { FakeOpenRouter, FakeReply, HttpError, ScenarioName } from '@devflow/testing'
import { expect } from 'vitest'
import { ModelError, type ModelEvent, type ModelRequest, type ModelUsage } from '../model.ts'
import { openRouterModel } from '../openrouter.ts'

export const HELLO = 'Hello 👋, all is well.'
const KEY = 'sk-or-v1-secret-of-the-test'

/** One oddity: its number, its name, and what the adapter makes of it. */
export type QuirkRow = [n: number, id: string, shows: (quirk: Quirk) => Promise<void>]

/** What became of one call. */
export interface Outcome {
  events: ModelEvent[]
  text: string
  thinking: string
  usage: ModelUsage | undefined
  done: Extract<ModelEvent, { kind: 'done' }> | undefined
  error: ModelError | undefined
}

/** The real adapter before a server that plays one oddity. */
export class Quirk {
  readonly fake: FakeOpenRouter
  readonly adapter: ReturnType<typeof openRouterModel>

  constructor(fake: FakeOpenRouter) {
    this.fake = fake
    this.adapter = openRouterModel({ apiKey: KEY, baseURL: fake.baseURL, progressTimeoutMs: 1_000 })
  }

  play(reply: FakeReply | ScenarioName, request: Partial<ModelRequest> = {}): Promise<Outcome> {
    const played = typeof reply === 'string' ? { scenario: reply } : reply
    this.fake.script(() => played)
    return this.call(request)
  }

  refuse(error: HttpError): Promise<Outcome> {
    return this.play({ error })
  }

  async call(
    request: Partial<ModelRequest> = {},
    signal = new AbortController().signal,
    onEvent: (event: ModelEvent) => void = () => {},
  ): Promise<Outcome> {
    const events: ModelEvent[] = []
    const error = await (async () => {
      for await (const event of this.adapter.stream(requestOf(request), signal)) {
        events.push(event)
        onEvent(event)
      }
    })().then(
      () => undefined,
      (failure: unknown) => {
        if (failure instanceof ModelError) return failure
        throw failure
      },
    )
    const texts = (kind: 'token' | 'thinking') =>
      events.map((event) => (event.kind === kind ? event.text : '')).join('')
    const usages = events.flatMap((event) => (event.kind === 'usage' ? [event.usage] : []))
    expect(usages.length).toBeLessThanOrEqual(1)
    const dones = events.filter((event) => event.kind === 'done')
    // One or the other, and never both: nothing is silently taken for success.
    expect(dones).toHaveLength(error ? 0 : 1)
    return {
      events,
      text: texts('token'),
      thinking: texts('thinking'),
      usage: usages[0],
      done: dones[0],
      error,
    }
  }

  /** Says again what `first` said, with results of its tools. */
  next({ done }: Outcome): Promise<Outcome> {
    const { content = '', toolCalls = [], reasoning } = done ?? {}
    return this.call({
      turn: 4,
      messages: [
        { role: 'user', content: 'go' },
        { role: 'assistant', content, toolCalls, reasoning },
        ...toolCalls.map(({ id, name }) => ({
          role: 'tool' as const,
          toolCallId: id,
          name,
          content: 'text',
        })),
      ],
    })
  }

  async billed(n = 0): Promise<number | undefined> {
    await this.fake.waitFor((all) => all[n]?.finishedAt !== undefined || all[n]?.abortedAt !== undefined)
    return this.fake.requests[n]?.billedMicroUsd
  }
}

const requestOf = (more: Partial<ModelRequest> = {}): ModelRequest => ({
  model: { provider: 'openrouter', name: 'deepseek/deepseek-chat' },
  messages: [{ role: 'user', content: 'Say something.' }],
  tools: [{ name: 'read_file', description: 'reads', parameters: { type: 'object' } }],
  maxOutputTokens: 1000,
  sessionId: 'run/spec/1',
  phase: 'spec',
  attempt: 1,
  turn: 3,
  ...more,
})

/** The whole text once, one end, its usage with the cost that was billed, and the dated model. */
export async function whole(quirk: Quirk, outcome: Outcome): Promise<void> {
  expect(outcome).toMatchObject({
    text: HELLO,
    done: { finish: 'stop', content: HELLO, toolCalls: [], modelUsed: 'deepseek/deepseek-chat-v3' },
  })
  expect(outcome.usage?.costMicroUsd).toBe(await quirk.billed())
  expect(outcome.usage?.costMicroUsd).toBeGreaterThan(0)
}

/** Calls as the model meant them, to be run. */
export function calls(outcome: Outcome, ...expected: object[]): void {
  expect(outcome.done?.finish).toBe('tool_calls')
  expect(outcome.done?.toolCalls).toMatchObject(expected)
  expect(outcome.done?.toolCalls).toHaveLength(expected.length)
  const ids = outcome.done?.toolCalls.map(({ id }) => id) ?? []
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids).not.toContain('')
}

export function fails(outcome: Outcome, code: string, more: object = {}): void {
  expect(outcome.error).toMatchObject({ code, ...more })
}
