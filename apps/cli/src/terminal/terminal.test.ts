import { expect, test } from 'vitest'
import { cut, harmless, widthOf, wrap } from './fit.ts'
import { outline } from './outline.ts'
import { age, dollars, Sum, span } from './quantities.ts'
import type { Screen } from './screen.ts'
import { table } from './table.ts'

test.each([
  [0, '$0.00'],
  [0.4, '<$0.0001'],
  [4.51, '<$0.0001'],
  [123, '$0.0001'],
  [1_200, '$0.0012'],
  [10_000, '$0.01'],
  [500_000, '$0.50'],
  [1_234_567_890, '$1,234.56'],
])('%d micro-dollars read %s', (microUsd, text) => expect(dollars(microUsd)).toBe(text))

test.each([
  [-5, '0.0s'],
  [949, '0.9s'],
  [12_400, '12s'],
  [200_000, '3m 20s'],
  [7_500_000, '2h 5m'],
  [259_199_000, '2d 23h'],
])('%d ms read %s', (ms, text) => expect(span(ms)).toBe(text))

test('ages are in one unit', () => {
  const at = (seconds: number) => age(new Date(0).toISOString(), seconds * 1000)
  expect([at(-1), at(59), at(60), at(7_300), at(200_000)]).toEqual(['0s', '59s', '1m', '2h', '2d'])
})

test('money is summed exactly', () => {
  const sum = new Sum()
  for (let n = 0; n < 10; n++) sum.add(0.1)
  expect(sum.microUsd).toBe(1)
})

test('texts are cut and wrapped by the columns they take, Korean ones too', () => {
  expect(cut('실행이 완료되었습니다', 9)).toBe('실행이…')
  expect(cut('short', 5)).toBe('short')
  for (const line of wrap('실행이 결정을 기다립니다: 스펙을 승인하시겠습니까, 아니면 거절하시겠습니까', 30))
    expect(widthOf(line)).toBeLessThanOrEqual(30)
})

test('what others wrote cannot steer the terminal', () => {
  expect(harmless('a\u001b[2Jb\u0007c\td\r\ne')).toBe('a·[2Jb·c\td\ne')
})

test('JSON reads as an outline', () => {
  const value = { title: 'A', list: [1, { a: 'x', b: ['y'] }, []], none: null, empty: {}, long: 'one\ntwo' }
  expect(outline(value)).toEqual([
    'title: A',
    'list:',
    '  - 1',
    '  - a: x',
    '    b:',
    '      - y',
    '  - []',
    'none: null',
    'empty: {}',
    'long: one',
    '  two',
  ])
})

const plain = (text: string) => text
const screen = (width: number): Screen => ({
  ...{ isTerminal: true, canAsk: false, rows: 24, width, program: 'devflow' },
  palette: { plain, strong: plain, faint: plain, good: plain, bad: plain, notice: plain, accent: plain },
  print: () => {},
  write: () => {},
})

test('a table fits, its widest column gives way first, figures stay whole', () => {
  const columns = [
    { title: 'A', gives: true },
    { title: 'LONG', gives: true },
    { title: 'N', align: 'right' as const },
  ]
  const rows = [
    ['short', 'a text that is rather long', '1,234'],
    ['한국어', 'b', '5'],
  ]
  expect(table(columns, rows, screen(28))).toEqual([
    'A       LONG               N',
    'short   a text that…   1,234',
    '한국어  b                  5',
  ])
  expect(table(columns, rows, screen(Number.POSITIVE_INFINITY))[1]).toBe(
    'short   a text that is rather long  1,234',
  )
})
