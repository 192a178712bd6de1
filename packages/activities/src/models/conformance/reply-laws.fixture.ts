import { describe, expect, test } from 'vitest'
import type { Message, ModelEvent } from '../model.ts'
import { doneOf, Harness, textOf, usageOf } from './harness.fixture.ts'
import type { Reply, Subject } from './subject.fixture.ts'

const README = { id: 'call_a1', name: 'read_file', arguments: { path: 'README.md' } }
const PACKAGE = { id: 'call_b2', name: 'read_file', arguments: { path: 'package.json' } }

const USAGE = { input: 120, output: 30 }
const parsed = (calls: { name: string; arguments: string }[]) =>
  calls.map(({ name, arguments: text }) => ({ name, arguments: JSON.parse(text) as unknown }))

/** What a reply comes to, and what of it goes into the next request. */
export function replyLaws(subject: Subject): void {
  describe(`${subject.name}: a reply`, () => {
    const harness = new Harness(subject)
    const reply = (said: Reply) => harness.ask({ reply: { usage: USAGE, ...said } })

    test('of text comes piece by piece, once, and whole at the end', async () => {
      const text = 'Hello 👋, all is well. '.repeat(20)
      const events = await reply({ text, chunks: 8 })
      expect(textOf(events, 'token')).toBe(text)
      expect(events.filter(({ kind }) => kind === 'token').length).toBeGreaterThan(4)
      expect(doneOf(events)).toMatchObject({ finish: 'stop', content: text, toolCalls: [] })
      expect(events.filter(({ kind }) => kind === 'done')).toHaveLength(1)
      expect(doneOf(events).modelUsed).toEqual(expect.any(String))
    })

    test('tells its usage once, before the end', async () => {
      const cached = harness.has('cached_tokens') ? { cached: 20 } : {}
      const reasoning = harness.has('reasoning_tokens') ? { reasoning: 5 } : {}
      const events = await reply({ text: 'Hello.', usage: { ...USAGE, ...cached, ...reasoning } })
      expect(usageOf(events)).toHaveLength(1)
      expect(usageOf(events)[0]).toMatchObject({
        inputTokens: 120,
        outputTokens: 30,
        ...(harness.has('cached_tokens') ? { cachedTokens: 20 } : {}),
        ...(harness.has('reasoning_tokens') ? { reasoningTokens: 5 } : {}),
      })
      expect(events.at(-2)?.kind).toBe('usage')
      if (harness.has('cost')) {
        await harness.standIn.waitFor(([first]) => first?.finishedAt !== undefined)
        expect(usageOf(events)[0]?.costMicroUsd).toBe(harness.standIn.requests[0]?.billedMicroUsd)
      } else expect(usageOf(events)[0]).not.toHaveProperty('costMicroUsd')
    })

    if (harness.has('generation'))
      test('tells the provider’s id for it, first of all', async () => {
        const events = await reply({ text: 'Hello.' })
        expect(events[0]).toEqual({ kind: 'generation', id: harness.standIn.requests[0]?.generationId })
        expect(events.filter(({ kind }) => kind === 'generation')).toHaveLength(1)
      })

    if (harness.has('thinking'))
      test('tells thinking apart from text', async () => {
        const events = await reply({ thinking: 'Let me see. It is easy.', text: 'Forty-two.' })
        expect(textOf(events, 'thinking')).toBe('Let me see. It is easy.')
        expect(doneOf(events).content).toBe('Forty-two.')
      })

    test('cut at the limit says so', async () => {
      expect(doneOf(await reply({ text: 'Once upon', cutAtLimit: true }))).toMatchObject({
        finish: 'length',
        content: 'Once upon',
      })
    })

    test('with nothing in it is given out as it is, with what it cost', async () => {
      const events = await reply({ text: '' })
      expect(doneOf(events)).toMatchObject({ finish: 'stop', content: '', toolCalls: [] })
      expect(usageOf(events)[0]?.inputTokens).toBe(120)
    })

    describe('with tool calls', () => {
      test('gives out one call at the end, and shows it while it is written', async () => {
        const events = await reply({ text: 'I look.', toolCalls: [README] })
        const done = doneOf(events)
        expect(done).toMatchObject({ finish: 'tool_calls', content: 'I look.' })
        expect(parsed(done.toolCalls)).toEqual([{ name: 'read_file', arguments: { path: 'README.md' } }])
        expect(textOf(events, 'tool_use')).toMatch(/^read_file\s*\{.*README\.md.*\}\s*$/s)
        if (harness.has('fragments'))
          expect(events.filter(({ kind }) => kind === 'tool_use').length).toBeGreaterThan(2)
      })

      test('keeps several in their order, with ids of their own', async () => {
        const { toolCalls } = doneOf(await reply({ toolCalls: [README, PACKAGE, README] }))
        expect(parsed(toolCalls).map((call) => call.arguments)).toEqual([
          { path: 'README.md' },
          { path: 'package.json' },
          { path: 'README.md' },
        ])
        expect(new Set(toolCalls.map(({ id }) => id)).size).toBe(3)
        expect(toolCalls.map(({ id }) => id)).not.toContain('')
      })

      if (harness.has('fragments'))
        test('puts fragments that come in turn where they belong', async () => {
          const { toolCalls } = doneOf(await reply({ toolCalls: [README, PACKAGE], interleaved: true }))
          expect(parsed(toolCalls).map((call) => call.arguments)).toEqual([
            { path: 'README.md' },
            { path: 'package.json' },
          ])
        })

      test('without arguments calls with none', async () => {
        const { toolCalls } = doneOf(
          await reply({ toolCalls: [{ id: 'c', name: 'list_dir', arguments: {} }] }),
        )
        expect(parsed(toolCalls)).toEqual([{ name: 'list_dir', arguments: {} }])
      })

      test('cut at the limit are never offered as calls to run', async () => {
        const events = await reply({ toolCalls: [README], cutAtLimit: true })
        expect(doneOf(events).finish).toBe('length')
      })
    })
  })

  describe(`${subject.name}: the next request`, () => {
    const harness = new Harness(subject)

    /** Asks again with what was said and a result for each call. */
    async function next(reply: Reply) {
      const { content, toolCalls, reasoning } = doneOf(await harness.ask({ reply }))
      const messages: Message[] = [
        { role: 'user', content: 'Go.' },
        { role: 'assistant', content, toolCalls, ...(reasoning === undefined ? {} : { reasoning }) },
        ...toolCalls.map(({ id, name }, index) => ({
          role: 'tool' as const,
          toolCallId: id,
          name,
          content: `result ${index}`,
        })),
      ]
      const events: ModelEvent[] = await harness.ask({ reply: { text: 'Fine.' } }, { messages, turn: 4 })
      expect(doneOf(events).content).toBe('Fine.')
      const seen = harness.standIn.requests[1]
      if (!seen) throw new Error('the second request did not come')
      return seen
    }

    test('brings the results of tools, each to its call', async () => {
      const { toolCalls, toolResults } = await next({ text: 'I look.', toolCalls: [README, PACKAGE] })
      expect(toolCalls.map((call) => call.arguments)).toEqual([README.arguments, PACKAGE.arguments])
      expect(toolResults.map(({ content }) => content)).toEqual(['result 0', 'result 1'])
      expect(toolResults.map(({ id }) => id)).toEqual(toolCalls.map(({ id }) => id))
      if (harness.has('call_ids')) expect(toolCalls.map(({ id }) => id)).toEqual([README.id, PACKAGE.id])
    })

    if (harness.has('thinking', 'seal'))
      test('brings sealed thinking back untouched', async () => {
        const { seals } = await next({ thinking: 'Hm. ', seal: 'EqQB/+é=', toolCalls: [README] })
        expect(seals).toEqual(['EqQB/+é='])
      })

    test('names model, tools, output cap and temperature', async () => {
      await harness.ask(
        { reply: { text: 'Fine.' } },
        { model: { ...subject.model, temperature: 0.2 }, maxOutputTokens: 777 },
      )
      expect(harness.standIn.requests[0]).toMatchObject({
        model: subject.model.name,
        tools: ['read_file'],
        maxOutputTokens: 777,
        temperature: 0.2,
      })
    })

    test('has no temperature where the persona has none', async () => {
      await harness.ask({ reply: { text: 'Fine.' } })
      expect(harness.standIn.requests[0]?.temperature).toBeUndefined()
    })
  })
}
