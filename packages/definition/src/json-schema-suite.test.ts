import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JsonSchema } from '@devflow/contracts'
import { describe, expect, test } from 'vitest'
import { checkSchema, checkValue } from './json-schema.ts'

interface Group {
  description: string
  schema: JsonSchema | boolean
  tests: { description: string; data: unknown; valid: boolean }[]
}

// The official cases for draft 2020-12, the required ones and those of formats, as of the commit that stands in the file.
const suite = JSON.parse(
  readFileSync(new URL('../json-schema-test-suite/draft2020-12.json', import.meta.url), 'utf8'),
) as { files: Record<string, Group[]> }
const files = Object.entries(suite.files)
const FORMATS = 'optional/format/'

const schemaOf = ({ schema }: Group): JsonSchema =>
  typeof schema === 'boolean' ? { allOf: [schema] } : schema
const wrongIn = (group: Group): string[] =>
  group.tests
    .filter(({ data, valid }) => (checkValue(schemaOf(group), data).length === 0) !== valid)
    .map(({ description }) => description)

/** Schemas that JSON Schema allows and we refuse aloud: what they say would be ignored, or has to be fetched. */
const REFUSED = [
  /^must stay inside the schema/,
  /^expected https:\/\/json-schema.org\/draft\/2020-12\/schema$/,
  /^unknown format ".*"$/,
  /^"(if|then|else)" without .* is ignored$/,
  /^"(min|max)Contains" without "contains" is ignored$/,
  /^"minContains" > "maxContains" is always invalid$/,
  /^"minContains" == 0 without "maxContains": "contains" keyword ignored$/,
  /^enum must have non-empty array$/,
]

/** What ajv does otherwise. It follows dynamic references within one document alone, and has gaps where nothing is left over. */
const LIMITS: Record<string, string[]> = {
  'dynamicRef: A $dynamicRef to a $dynamicAnchor in the same schema resource behaves like a normal $ref to an $anchor':
    ['An array of strings is valid'],
  'dynamicRef: A $dynamicRef to an $anchor in the same schema resource behaves like a normal $ref to an $anchor':
    ['An array of strings is valid'],
  'dynamicRef: $dynamicRef points to a boolean schema': ['follow $dynamicRef to a false schema'],
  // Its schema is left out, and so the property is not looked at.
  'properties: properties whose names are Javascript object property names': ['__proto__ not valid'],
  'unevaluatedItems: unevaluatedItems with nested items': [
    'with no additional items',
    'with invalid additional item',
  ],
  'unevaluatedItems: unevaluatedItems depends on adjacent contains': [
    'contains passes, second item is not evaluated',
  ],
  'unevaluatedItems: unevaluatedItems depends on multiple nested contains': [
    '7 not evaluated, fails unevaluatedItems',
  ],
  'unevaluatedProperties: unevaluatedProperties with if/then/else, then not defined': [
    'when if is true and has no unevaluated properties',
    'when if is false and has unevaluated properties',
  ],
}

/** Of each format, how many of its cases the checker of formats takes otherwise: its patterns are simpler than the RFCs. */
const FORMAT_LIMITS: Record<string, number> = {
  'date-time': 3,
  duration: 2,
  'ecmascript-regex': 1,
  email: 5,
  hostname: 24,
  'uri-reference': 6,
  'uri-template': 3,
  uri: 3,
  uuid: 1,
}

describe('the official test suite of JSON Schema', () => {
  test('schemas are taken, or refused for a reason that is meant', () => {
    const odd = files.flatMap(([file, groups]) =>
      groups.flatMap((group) =>
        checkSchema(schemaOf(group))
          .filter(({ message }) => !REFUSED.some((reason) => reason.test(message)))
          .map(({ message }) => `${file}: ${group.description}: ${message}`),
      ),
    )
    expect(odd).toEqual([])
  })

  const taken = files.map(
    ([file, groups]) => [file, groups.filter((group) => checkSchema(schemaOf(group)).length === 0)] as const,
  )

  test('values are judged as it says, but for what ajv does not promise', () => {
    const wrong = taken
      // There formats are annotations; ours are checked, as the cases of formats want it.
      .filter(([file]) => !file.startsWith(FORMATS) && file !== 'format')
      .flatMap(([file, groups]) =>
        groups.map((group) => [`${file}: ${group.description}`, wrongIn(group)] as const),
      )
      .filter(([, tests]) => tests.length > 0)
    expect(Object.fromEntries(wrong)).toEqual(LIMITS)
    const cases = taken.flatMap(([, groups]) => groups.flatMap(({ tests }) => tests))
    expect(cases.length).toBeGreaterThan(1_600)
  })

  test('formats are checked, as far as their checker goes', () => {
    const wrong = taken
      .filter(([file]) => file.startsWith(FORMATS))
      .map(([file, groups]) => [file.slice(FORMATS.length), groups.flatMap(wrongIn).length] as const)
      .filter(([, count]) => count > 0)
    expect(Object.fromEntries(wrong)).toEqual(FORMAT_LIMITS)
  })
})

test('a schema elsewhere is never fetched', async () => {
  const asked: (string | undefined)[] = []
  const server = createServer((request, response) => {
    asked.push(request.url)
    response.end('{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const $ref = `http://127.0.0.1:${(server.address() as AddressInfo).port}/schema.json`
  const schemas: JsonSchema[] = [
    { $ref },
    { properties: { a: { $ref } } },
    { $dynamicRef: $ref },
    { $id: $ref, properties: { a: { $ref: 'other.json' } } },
    { $schema: $ref },
  ]
  for (const schema of schemas) {
    expect(checkSchema(schema).length).toBeGreaterThan(0)
    if (!('$schema' in schema)) expect(() => checkValue(schema, { a: 1 })).toThrow()
  }
  server.close()
  expect(asked).toEqual([])
})
