import fc from 'fast-check'
import { expect, test } from 'vitest'
import { StreamScrub, scrubber } from './scrub.ts'

const secret = 'sk-or-v1-0123456789'

test('a secret is replaced wherever it stands in a value', () => {
  expect(scrubber([secret])({ a: [`x${secret}y`], [secret]: 1 })).toEqual({
    a: ['x[secret]y'],
    '[secret]': 1,
  })
})

test('values too short to be secrets stay', () => {
  expect(scrubber(['abc', undefined])('abc')).toBe('abc')
})

test('a streamed secret is found however it is cut, and nothing else changes', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constant(secret), fc.string({ maxLength: 5 }), fc.constant('sk-or'))),
      fc.infiniteStream(fc.integer({ min: 1, max: 7 })),
      (parts, cuts) => {
        const text = parts.join('')
        const stream = new StreamScrub(scrubber([secret]), [secret])
        let out = ''
        for (let at = 0; at < text.length; ) {
          const length = cuts.next().value ?? 1
          out += stream.push(text.slice(at, at + length))
          at += length
        }
        expect(out + stream.rest()).toBe(scrubber([secret])(text))
      },
    ),
  )
})
