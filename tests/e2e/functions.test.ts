// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what expressions look like
import { describe, expect, test } from 'vitest'
import { callTemplate } from '../support/functions.ts'
import { eventOf, eventsOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack({ SHOP_TOKEN: 'shop-token-of-the-test' })

describe('a function phase', () => {
  test('calls the function with what its expressions make, and its answer is the phase’s output', async () => {
    const source = `export default async function (input: { words: string[] }, ctx) {
      ctx.log('asked for', input.words.length)
      return { text: input.words.join(' '), key: ctx.idempotencyKey, attempt: ctx.attempt, phase: ctx.phase }
    }`
    const words = { type: 'array', items: { type: 'string' } }
    const template = callTemplate(source, {
      entry: { effects: 'none', input: { type: 'object', required: ['words'], properties: { words } } },
      input: { words: ['a', '${{ input.word }}'] },
    })
    const run = await stack.finish(template, { input: { word: 'tea' } })
    expect(run.error).toBe(null)
    expect(run.output).toEqual({ text: 'a tea', key: `${run.id}/call/1`, attempt: 1, phase: 'call' })
    expect(eventOf(run, 'function.started').data).toMatchObject({
      ...{ function: 'fn@1', idempotencyKey: `${run.id}/call/1`, effects: 'none' },
      input: { words: ['a', 'tea'] },
    })
    expect(eventOf(run, 'function.completed').data).toMatchObject({
      ok: true,
      log: ['asked for 1'.replace('1', '2')],
    })
    expect(eventsOf(run, 'phase.started')[0]?.data).toEqual({ kind: 'function', function: 'fn@1' })
  })
})
