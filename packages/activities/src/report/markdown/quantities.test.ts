import { expect, test } from 'vitest'
import { bytes, counted, dollars, duration } from './quantities.ts'

test.each([
  [0, '$0.00'],
  [0.3, '$0.0000003'],
  [4812.51, '$0.004813'],
  [500_000, '$0.50'],
  [999_999.9, '$1.00'],
  [1_234_567, '$1.23'],
  [12_000_000, '$12.00'],
])('%s micro-dollars are %s', (microUsd, text) => expect(dollars(microUsd)).toBe(text))

test.each([
  [40, '0.0 s'],
  [9_949, '9.9 s'],
  [12_345, '12 s'],
  [60_000, '1 min'],
  [157_379, '2 min 37 s'],
  [3_900_000, '1 h 5 min'],
  [266_400_000, '3 d 2 h'],
])('%s ms are %s', (ms, text) => expect(duration(ms)).toBe(text))

test('amounts have their unit', () => {
  expect([counted(1, 'turn'), counted(24_364, 'token')]).toEqual(['1 turn', '24,364 tokens'])
  expect([bytes(1), bytes(302), bytes(1_830), bytes(24_000), bytes(5_000_000)]).toEqual([
    '1 byte',
    '302 bytes',
    '1.8 kB',
    '24 kB',
    '5.0 MB',
  ])
})
