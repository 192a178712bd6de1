import { expect, it } from 'vitest'
import { schemaAt } from './schema-at.ts'

const described = { q: { type: 'string' } }

it.each([
  ['described', { properties: described }, { schema: { type: 'string' } }],
  ['neither described nor required', { properties: { other: {} } }, 'missing'],
  ['required, and not described', { properties: { other: {} }, required: ['q'] }, 'open'],
  ['kept out', { properties: { other: {} }, required: ['q'], additionalProperties: false }, 'missing'],
  [
    'let in',
    { properties: { other: {} }, additionalProperties: { type: 'number' } },
    { schema: { type: 'number' } },
  ],
  ['one of whatever there is', {}, 'open'],
  ['perhaps described elsewhere', { allOf: [{ properties: described }] }, 'open'],
])('a field that is %s', (_, schema, found) => {
  expect(schemaAt({ type: 'object', ...schema }, 'q')).toEqual(found)
})
