import { readFileSync } from 'node:fs'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { beforeAll, describe, expect, test } from 'vitest'
import { type ApiDocument, Conformance, type OperationDocument } from './conformance.fixture.ts'
import { createApi } from './create-api.ts'
import { openApiDocument } from './document.ts'
import type { Api } from './operation.ts'
import { PROBLEMS, type ProblemCode } from './problem-codes.ts'
import { statusOf } from './problems.ts'

let api: Api
let document: ApiDocument
let operations: { name: string; method: string; path: string; operation: OperationDocument }[]
beforeAll(() => {
  // Its routes are there before anything that they stand on.
  api = createApi({ manual: [] } as unknown as Parameters<typeof createApi>[0])
  document = JSON.parse(JSON.stringify(openApiDocument(api)))
  operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method,
      path,
      operation,
    })),
  )
})

/** A pointer's value, references followed. */
function at<Value>(value: Value | { $ref: string }): Value {
  if (typeof value !== 'object' || value === null || !('$ref' in value)) return value as Value
  const [, , kind = '', name = ''] = value.$ref.split('/')
  return document.components[kind]?.[name] as Value
}

test('is valid OpenAPI 3.1', async () => {
  const { valid, errors } = await new Validator().validate({ ...document })
  expect(errors ?? []).toEqual([])
  expect([valid, document.openapi]).toEqual([true, '3.1.0'])
})

test('states every route that the API has, and no other', () => {
  const routes = api.routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method} ${path.replace('{.+}', '').replaceAll(/:(\w+)/g, '{$1}')}`)
  expect(routes.length).toBeGreaterThan(25)
  expect(operations.map(({ name }) => name).sort()).toEqual([...new Set(routes)].sort())
})

test('every reference leads somewhere', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/(\w+)\/(\w+)"/g)]
  expect(references.length).toBeGreaterThan(100)
  for (const [text, kind = '', name = ''] of references)
    expect(document.components[kind], text).toHaveProperty(name)
})

test('every operation has a name of its own, a summary and a tag that is described', () => {
  const names = operations.map(({ operation }) => operation.operationId)
  expect(new Set(names).size).toBe(names.length)
  const tags = (document.tags ?? []).map(({ name }) => name)
  for (const { name, operation } of operations) {
    expect(operation.operationId, name).toMatch(/^[a-z][A-Za-z]+$/)
    expect(operation.summary, name).toBeTruthy()
    expect(tags, name).toContain(operation.tags?.[0])
  }
})

describe('examples', () => {
  const shown = () =>
    operations.flatMap(({ name, operation }) => {
      const answers = Object.entries(operation.responses).map(
        ([status, answer]) => [`${name} ${status}`, at(answer).content ?? {}] as const,
      )
      return [[`${name} body`, operation.requestBody?.content ?? {}] as const, ...answers].flatMap(
        ([where, content]) =>
          Object.entries(content).map(([type, { schema, example, examples }]) => ({
            where: `${where} ${type}`,
            type,
            schema,
            values: [
              ...(example === undefined ? [] : [example]),
              ...Object.values(examples ?? {}).map((each) => at<{ value: unknown }>(each).value),
            ],
          })),
      )
    })

  test('every body and every answer in JSON has some', () => {
    const without = shown().filter(({ type, values }) => /json$/.test(type) && values.length === 0)
    expect(without.map(({ where }) => where)).toEqual([])
  })

  test('each fits its schema', () => {
    const ajv = new Ajv2020({ strict: false, allErrors: true })
    addFormats.default(ajv)
    ajv.addSchema(document, 'api')
    const absolute = (schema: unknown) =>
      JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"api#/components'))
    for (const { where, schema, values } of shown()) {
      const validate = ajv.compile(absolute(schema))
      for (const value of values) expect([validate(value), validate.errors], where).toEqual([true, null])
    }
  })

  test('those of a problem have the status they stand under', () => {
    for (const { where, type, values } of shown()) {
      if (type !== 'application/problem+json') continue
      const status = Number(/ (\d{3}) /.exec(where)?.[1])
      for (const value of values) expect(value, where).toMatchObject({ status })
    }
  })
})

test('every operation states what can happen to any request', () => {
  for (const { name, method, path, operation } of operations) {
    const stated = Object.keys(operation.responses)
    const wanted = ['400', '401', '403', '500', '503']
    if (method !== 'get') wanted.push('413', '415')
    if (path.includes('{')) wanted.push('404')
    expect(
      wanted.filter((status) => !stated.includes(status)),
      name,
    ).toEqual([])
  }
})

test('every code stands in some operation, and in the manual with the same kind, status and meaning', () => {
  const text = JSON.stringify(document)
  const nowhere: ProblemCode[] = ['malformed_request', 'method_not_allowed']
  const page = readFileSync(new URL('../../../docs/http-api.md', import.meta.url), 'utf8')
  for (const [code, { kind, meaning }] of Object.entries(PROBLEMS)) {
    if (!nowhere.includes(code as ProblemCode)) expect(text).toContain(`"#/components/examples/${code}"`)
    expect(page).toContain(`| \`${code}\` | ${kind} ${statusOf(kind, code)} | ${meaning} |`)
  }
})

describe('the check that every test of the API makes', () => {
  const answer = (status: number, body: unknown, headers: Record<string, string> = {}) =>
    new Response(JSON.stringify(body), {
      status,
      headers: { 'content-type': 'application/json', 'x-request-id': 't', ...headers },
    })
  const check = (response: Response, path = '/healthz') =>
    new Conformance(document).check('GET', path, response)
  const problem = {
    ...JSON.parse('{"type":"t","title":"t","detail":"d","kind":"NOT_FOUND","instance":"/"}'),
    traceId: 't',
  }

  test('takes what is stated', async () => {
    await check(answer(200, { status: 'ok' }))
  })

  test.each([
    ['another status', () => check(answer(418, {})), /does not state/],
    [
      'a field that is not stated',
      () => check(answer(200, { status: 'ok', more: 1 })),
      /additional properties/,
    ],
    ['a field that is missing', () => check(answer(200, {})), /'status'/],
    ['another media type', () => check(answer(200, {}, { 'content-type': 'text/html' })), /as text\/html/],
    ['no request id', () => check(new Response(null, { status: 204 })), /x-request-id/],
    ['a 503 without Retry-After', () => check(answer(503, {})), /Retry-After/],
    [
      'a code of another operation',
      () =>
        check(
          answer(
            404,
            { ...problem, status: 404, code: 'gate_not_found' },
            { 'content-type': 'application/problem+json' },
          ),
          '/v1/runs/x',
        ),
      /gate_not_found, where readRun has/,
    ],
    ['an answer where nothing is', () => check(answer(200, {}), '/v1/nothing'), /no problem/],
  ])('refuses %s', async (_, act, message) => {
    await expect(act()).rejects.toThrow(message)
  })
})
