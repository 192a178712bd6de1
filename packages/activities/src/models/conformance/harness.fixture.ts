import { afterEach, beforeEach, expect } from 'vitest'
import { ModelError, type ModelEvent, type ModelRequest } from '../model.ts'
import type { Ability, Play, StandIn, Subject } from './subject.fixture.ts'

export const KEY = 'sk-secret-0123456789-of-the-test'

/** A stand-in of its own for each test, and what every law asks of it. */
export class Harness {
  readonly subject: Subject
  #standIn: StandIn | undefined

  constructor(subject: Subject) {
    this.subject = subject
    beforeEach(async () => {
      this.#standIn = await subject.start()
    })
    afterEach(() => this.leave())
  }

  get standIn(): StandIn {
    if (!this.#standIn) throw new Error('the stand-in runs only within a test')
    return this.#standIn
  }

  /** Closes the stand-in: from now on nobody listens at its address. */
  async leave(): Promise<void> {
    const standIn = this.#standIn
    this.#standIn = undefined
    await standIn?.close()
  }

  has(...abilities: Ability[]): boolean {
    return abilities.every((ability) => this.subject.lacks[ability] === undefined)
  }

  request(more: Partial<ModelRequest> = {}): ModelRequest {
    return {
      model: this.subject.model,
      messages: [
        { role: 'system', content: 'You are a test.' },
        { role: 'user', content: 'Say something.' },
      ],
      tools: [READ_FILE],
      maxOutputTokens: 1000,
      sessionId: 'run/spec/1',
      phase: 'spec',
      attempt: 1,
      turn: 3,
      ...more,
    }
  }

  /** One request, answered by `play`; aborted by `signal`, if there is one. */
  stream(
    play: Play,
    more: { request?: Partial<ModelRequest>; signal?: AbortSignal; stallMs?: number } = {},
  ): AsyncIterable<ModelEvent> {
    this.standIn.play(play)
    return this.standIn
      .adapter({ apiKey: KEY, ...(more.stallMs === undefined ? {} : { stallMs: more.stallMs }) })
      .stream(this.request(more.request), more.signal ?? new AbortController().signal)
  }

  async ask(play: Play, request: Partial<ModelRequest> = {}): Promise<ModelEvent[]> {
    const events = await collect(this.stream(play, { request }))
    wellFormed(events)
    return events
  }

  failure(play: Play): Promise<ModelError> {
    return failureOf(this.ask(play))
  }
}

export const READ_FILE = {
  name: 'read_file',
  description: 'Reads a file.',
  parameters: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
}

/** A text in so many even pieces, no character torn in two. */
export function pieces(text: string, count: number): string[] {
  const cuts = Array.from({ length: count + 1 }, (_, n) => {
    const cut = Math.round((text.length * n) / count)
    return /[\uDC00-\uDFFF]/.test(text[cut] ?? '') ? cut + 1 : cut
  })
  return cuts.slice(1).map((cut, n) => text.slice(cuts[n], cut))
}

export async function collect(events: AsyncIterable<ModelEvent>): Promise<ModelEvent[]> {
  const all: ModelEvent[] = []
  for await (const event of events) all.push(event)
  return all
}

export function doneOf(events: readonly ModelEvent[]): Extract<ModelEvent, { kind: 'done' }> {
  const done = events.at(-1)
  if (done?.kind !== 'done') throw new Error('the stream did not end with done')
  return done
}

/** What holds for every stream that comes to its end, whatever it says. */
export function wellFormed(events: readonly ModelEvent[]): void {
  const kinds = events.map(({ kind }) => kind)
  const last = events.at(-1)
  expect(last?.kind).toBe('done')
  expect(kinds.filter((kind) => kind === 'done')).toHaveLength(1)
  // The id first of all, the usage last but one; each at most once.
  expect(kinds.lastIndexOf('generation')).toBeLessThanOrEqual(0)
  if (kinds.includes('usage')) expect(kinds.indexOf('usage')).toBe(kinds.length - 2)
  for (const event of events)
    if ('text' in event) expect(event.text, 'an empty piece says nothing').not.toBe('')
  if (last?.kind !== 'done') return
  expect(textOf(events, 'token')).toBe(last.content)
  const ids = last.toolCalls.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  if (ids.length === 0) expect(last.finish).not.toBe('tool_calls')
}

export const textOf = (events: readonly ModelEvent[], kind: 'token' | 'thinking' | 'tool_use'): string =>
  events.map((event) => (event.kind === kind ? event.text : '')).join('')

export const usageOf = (events: readonly ModelEvent[]) =>
  events.flatMap((event) => (event.kind === 'usage' ? [event.usage] : []))

export async function failureOf(work: Promise<unknown>): Promise<ModelError> {
  const failure = await work.then(
    () => new Error('expected a ModelError'),
    (error: unknown) => error,
  )
  if (failure instanceof ModelError) return failure
  throw failure
}
