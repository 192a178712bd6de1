import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Scope } from './cel.ts'
import { eventFilter, eventMatches } from './event-filter.ts'

const scope: Scope = {
  input: { order: 17, customer: { id: 'c-1' }, tags: ['a'] },
  artifacts: {},
  phases: { pay: { status: 'completed', output: { invoice: 'i-9' } } },
  run: { id: 'r', attempt: 1 },
  locals: { item: { sku: 'x' } },
}

test.each([
  ['event.data.order == input.order', { data: { order: 17 } }],
  ['input.order == event.data.order', { data: { order: 17 } }],
  [
    'event.data.order == input.order && event.data["customer"].id == input.customer.id && event.data.total > 10',
    { data: { order: 17, customer: { id: 'c-1' } } },
  ],
  ['event.id == phases.pay.output.invoice', { id: 'i-9' }],
  ['event.data.sku == item.sku', { data: { sku: 'x' } }],
  ['event.data == {"paid": true}', { data: { paid: true } }],
  // Nothing that must hold, or nothing that is known already.
  ['event.data.order == input.order || event.data.all', undefined],
  ['event.data.order == event.data.other', undefined],
  ['event.data.order != input.order', undefined],
  ['event.seq == 5', undefined],
  ['input.tags.exists(event, event == event.data.x)', undefined],
  ['event.data.a == input.missing', undefined],
  ['event.data.a.b == 1 && event.data.a == 2', { data: { a: { b: 1 } } }],
])('%s can be looked for by %j', (expression, filter) => {
  expect(eventFilter(`\${{ ${expression} }}`, scope)).toEqual(filter)
})

const contains = (whole: unknown, part: unknown): boolean =>
  part !== null && typeof part === 'object' && !Array.isArray(part)
    ? whole !== null &&
      typeof whole === 'object' &&
      Object.entries(part).every(([key, value]) => contains((whole as Record<string, unknown>)[key], value))
    : JSON.stringify(whole) === JSON.stringify(part)

test('an event that matches always holds what is looked for', () => {
  const value = fc.constantFrom(17, 18, 'c-1', 'x', null, true)
  const conjunct = fc.constantFrom(
    'event.data.order == input.order',
    'item.sku == event.data.sku',
    'event.data.total > 10',
    'event.data.sku == "x"',
    '(event.data.order == 17 || event.data.sku == "x")',
    'event.topic == "a.b"',
  )
  fc.assert(
    fc.property(
      fc.array(conjunct, { minLength: 1, maxLength: 4 }),
      fc.record({ order: value, sku: value, total: fc.integer({ min: 0, max: 20 }) }),
      fc.constantFrom('a.b', 'a.c'),
      (conjuncts, data, topic) => {
        const match = `\${{ ${conjuncts.join(' && ')} }}`
        const event = { seq: 1, topic, id: 'e', data, actor: 'owner', at: '2026-11-21T00:00:00.000Z' }
        const filter = eventFilter(match, scope)
        if (eventMatches(match, scope, event) && filter !== undefined)
          expect(contains(event, filter)).toBe(true)
      },
    ),
  )
})
