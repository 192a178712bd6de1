import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkSchema, checkValue } from './json-schema.ts'

const nested = (depth: number): Record<string, never> =>
  (depth === 0 ? {} : { properties: { a: nested(depth - 1) } }) as Record<string, never>

describe('a schema', () => {
  it.each([
    [{}],
    [{ $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object' }],
    [{ type: 'string', format: 'date-time', pattern: '^[A-Z]{2}-\\d+$' }],
    [
      {
        $defs: { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' } } } },
        $ref: '#/$defs/node',
      },
    ],
    [{ prefixItems: [{ type: 'string' }, { type: 'number' }], unevaluatedItems: false }],
    [{ enum: [{ pattern: '(' }], default: { $ref: 'http://x' } }],
    [{ dependentRequired: { card: ['address'] } }],
    [{ properties: { ab: { type: 'string' } }, patternProperties: { '^a': { minLength: 1 } } }],
  ])('is fine: %j', (schema) => {
    expect(checkSchema(schema)).toEqual([])
  })

  it.each([
    [{ type: 'strin' }, 'type', 'one of'],
    [{ properties: { a: { minLength: -1 } } }, 'properties.a.minLength', '>= 0'],
    [{ propertys: {} }, 'propertys', 'unknown keyword'],
    [
      { properties: { a: { items: { minLenght: 1 } } } },
      'properties.a.items.minLenght',
      'unknown keyword: "minLenght"',
    ],
    [{ anyOf: [{ format: 'colour' }] }, 'anyOf[0].format', 'unknown format "colour"'],
    [
      { $schema: 'http://json-schema.org/draft-07/schema#' },
      '$schema',
      'expected https://json-schema.org/draft/2020-12',
    ],
    [{ properties: { a: { $ref: 'https://example.com/x.json' } } }, 'properties.a.$ref', 'inside the schema'],
    [{ $ref: '#/$defs/none' }, '$', "can't resolve reference"],
    [{ $async: true }, '$async', 'not allowed'],
    [{ pattern: '(' }, 'pattern', 'not a regular expression'],
    [{ properties: { a: { pattern: '^(a+)+$' } } }, 'properties.a.pattern', 'repetition inside repetition'],
    [
      { patternProperties: { '^(\\d|\\d\\d)*$': {} } },
      'patternProperties["^(\\\\d|\\\\d\\\\d)*$"]',
      'repetition',
    ],
    [nested(40), 'properties.a.properties.a.properties.a.properties.a', 'nests deeper'],
    [{ description: 'x'.repeat(140_000) }, '$', 'larger than 128 KB'],
  ])('is refused: %j', (schema, path, message) => {
    expect(checkSchema(schema as Record<string, never>)[0]).toEqual({
      path,
      message: expect.stringContaining(message),
    })
  })

  it.each([
    [0.01, [19.99, 4.35, 0.29, 0.07, -0.03, 0], [19.999, 0.001]],
    [0.1, [0.3, 1e3], [0.35]],
    [3, [9, -9, 3e20], [10, 0.3]],
  ])('with multipleOf %s reckons in decimals', (multipleOf, right, wrong) => {
    const isRight = (value: number) => checkValue({ multipleOf }, value).length === 0
    expect(right.filter((value) => !isRight(value))).toEqual([])
    expect(wrong.filter(isRight)).toEqual([])
    expect(checkValue({ multipleOf: 0.01 }, 0.001)).toEqual([
      { path: '$', message: 'must be multiple of 0.01' },
    ])
  })

  it('that is any JSON object gets errors with paths, or checks any value', () => {
    const keyword = fc.constantFrom(
      'type',
      'properties',
      'items',
      'required',
      'enum',
      'const',
      '$ref',
      '$defs',
      'anyOf',
      'not',
      'pattern',
      'minimum',
      '$id',
      '$anchor',
      'if',
      'prefixItems',
    )
    const schema = fc.letrec((tie) => ({
      schema: fc.dictionary(
        keyword,
        fc.oneof({ maxDepth: 3 }, fc.jsonValue(), tie('schema'), fc.array(tie('schema'), { maxLength: 2 })),
        { maxKeys: 4 },
      ),
    })).schema
    fc.assert(
      fc.property(schema, fc.jsonValue(), (candidate, value) => {
        const errors = checkSchema(candidate as Record<string, never>)
        const all = errors.length > 0 ? errors : checkValue(candidate as Record<string, never>, value)
        for (const error of all) expect(error.path).not.toBe('')
      }),
      { numRuns: 150 },
    )
  })
})

describe('checking a value', () => {
  const schema = {
    type: 'object',
    required: ['findings'],
    additionalProperties: false,
    properties: {
      findings: {
        type: 'array',
        items: {
          type: 'object',
          required: ['id'],
          properties: { id: { type: 'string' }, severity: { enum: ['minor', 'major'] } },
        },
      },
    },
  }

  it('gives every error its path', () => {
    const value = { findings: [{ id: 1, severity: 'huge' }, {}], 'odd name': 1 }
    expect(checkValue(schema, value)).toEqual([
      { path: '["odd name"]', message: 'is not allowed' },
      { path: 'findings[0].id', message: 'must be string' },
      { path: 'findings[0].severity', message: 'must be one of ["minor","major"]' },
      { path: 'findings[1].id', message: 'is required' },
    ])
    expect(checkValue(schema, [])).toEqual([{ path: '$', message: 'must be object' }])
    expect(checkValue(schema, { findings: [] })).toEqual([])
  })

  it('stops at fifty errors', () => {
    const findings = Array.from({ length: 200 }, () => ({}))
    expect(checkValue(schema, { findings })).toHaveLength(50)
  })

  it('ends on schemas and values that would take for ever', () => {
    const branch = { properties: { a: { $ref: '#/$defs/n' } } }
    const exponential = {
      $defs: { n: { anyOf: [branch, branch, branch], required: ['z'] } },
      $ref: '#/$defs/n',
    }
    expect(checkSchema(exponential)).toEqual([])
    let deep: unknown = {}
    for (let i = 0; i < 60; i++) deep = { a: deep }
    expect(checkValue(exponential, deep)).toEqual([{ path: '$', message: 'could not be checked within 1 s' }])
    const endless = { $defs: { n: { $ref: '#/$defs/n' } }, $ref: '#/$defs/n' }
    expect(checkValue(endless, 1)).toEqual([{ path: '$', message: 'nests too deeply to be checked' }])
  }, 15_000)
})
