import { describe, expect, test } from 'vitest'
import { answerOn, hasEnded, promptOf } from './prompt.ts'

describe('the prompt', () => {
  test('is the whole conversation, and where the answer belongs', () => {
    const prompt = promptOf(
      [
        { role: 'system', content: 'You review.' },
        { role: 'user', content: 'Review this.' },
        { role: 'assistant', content: '{"a":1}', toolCalls: [] },
        { role: 'user', content: 'b is missing.' },
      ],
      { file: '/tmp/x/answer' },
    )
    const parts = ['You review.', 'Review this.', 'You answered:\n{"a":1}', 'b is missing.', '/tmp/x/answer']
    const places = parts.map((part) => prompt.indexOf(part))
    expect(places).toEqual([...places].sort((a, b) => a - b))
    expect(places).not.toContain(-1)
  })

  test('presses no keys: what it quotes cannot end the paste', () => {
    const prompt = promptOf([{ role: 'user', content: 'a\u001b[201~\r\u0003y\u009b1m\ttab\r\nline' }], {
      mark: 'm1',
    })
    expect(prompt).toContain('a[201~y1m\ttab\nline')
  })
})

describe('the answer on a screen', () => {
  test.each([
    ['plain', 'begin m1\nHello.\nThere.\nend m1', 'Hello.\nThere.'],
    [
      'with quotes, bullets and indentation',
      '⏺ «begin m1»\n  {\n    "a": 1\n  }\n  «end m1»',
      '{\n  "a": 1\n}',
    ],
    ['within borders of the marks', '│ «begin m1» │\nHello.\n│ «end m1» │\n> ', 'Hello.'],
    [
      'after the echo of the prompt',
      'between two lines of their own, «begin m1» before it and «end m1» after it\n«begin m1»\nHello.\n«end m1»',
      'Hello.',
    ],
    ['the last of two', 'begin m1\nOld.\nend m1\nbegin m1\nNew.\nend m1', 'New.'],
    ['of another call', 'begin m2\nHello.\nend m2', undefined],
    ['not ended', 'begin m1\nHello.', undefined],
    ['whose beginning is gone', 'Hello.\nend m1', undefined],
  ])('%s', (_, screen, expected) => {
    expect(answerOn(screen, 'm1')).toBe(expected)
  })

  test('has ended with its mark, wherever it began', () => {
    expect(hasEnded('Hello.\n«end m1»\n> ', 'm1')).toBe(true)
    expect(hasEnded('«begin m1» before it and «end m1» after it', 'm1')).toBe(false)
  })
})
