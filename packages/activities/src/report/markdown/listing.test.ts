import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { listing } from './listing.ts'
import { outlineOf } from './outline.fixture.ts'

const of = (value: unknown) => listing(value, 'elsewhere').join('\n')

test('a value is lists to be read: short items in one line, texts of several lines as they are', () => {
  const value = {
    summary: 'Fine.',
    findings: [
      { id: 'F1', line: 3, fixed: false },
      { id: 'F2', detail: 'long '.repeat(40).trim(), places: ['a.ts', 'b.ts'] },
    ],
    patch: 'one\n  two',
    none: [],
    nothing: null,
  }
  expect(of(value)).toBe(
    [
      '- **summary**: Fine.',
      '- **findings**:',
      '  1. **id**: F1 · **line**: 3 · **fixed**: false',
      '  2. - **id**: F2',
      `     - **detail**: ${'long '.repeat(40).trim()}`,
      '     - **places**:',
      '       - a.ts',
      '       - b.ts',
      '- **patch**:',
      '  ```text',
      '  one',
      '    two',
      '  ```',
      '- **none**: none',
      '- **nothing**: null',
    ].join('\n'),
  )
})

describe('what is too long is cut, and it says where the whole is', () => {
  const isCut = (text: string) => text.endsWith('\n… and more: elsewhere')

  test.each([
    ['many fields', Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`f${n}`, n]))],
    ['a long list far inside', { a: { b: { c: Array.from({ length: 5_000 }, (_, n) => n) } } }],
    ['many lines', { text: 'line\n'.repeat(5_000) }],
    ['a line of a megabyte', { text: 'x'.repeat(1_000_000) }],
    ['a megabyte by itself', 'x y '.repeat(250_000)],
    ['many long texts', Array.from({ length: 500 }, () => 'line\n'.repeat(50))],
  ])('%s', (_, value) => {
    const text = of(value)
    expect(isCut(text)).toBe(true)
    expect(text.split('\n').length).toBeLessThan(300)
    expect(text.length).toBeLessThan(20_000)
  })

  test('and nothing else', () => expect(isCut(of({ a: 1 }))).toBe(false))
})

test('any JSON is one list or text, and closes what it opens', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 9 }), (value) => {
      const { blocks, headings, foreign } = outlineOf(`${of(value)}\n\n# After`)
      expect(headings).toEqual(['h1 After'])
      expect(foreign).toEqual([])
      expect(blocks.slice(0, -1).every((kind) => /list_open|paragraph_open|fence/.test(kind))).toBe(true)
    }),
    { numRuns: 500 },
  )
})
