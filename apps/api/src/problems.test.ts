import { DevflowError, ERROR_KINDS, type ErrorKind } from '@devflow/contracts'
import { expect, test } from 'vitest'
import { failureOf, problemResponse } from './problems.ts'

const sqlError = (code: string) => Object.assign(new Error('select secret from devflow.runs'), { code })
const answerOf = async (error: unknown) => {
  const response = problemResponse(failureOf(error), { instance: '/v1/x', traceId: 't' })
  const body = JSON.parse(await response.text())
  return { status: response.status, headers: response.headers, body }
}

test.each<[ErrorKind, number]>([
  ['UNKNOWN', 500],
  ['INVALID', 400],
  ['NOT_FOUND', 404],
  ['ALREADY_EXISTS', 409],
  ['PERMISSION_DENIED', 403],
  ['TIMEOUT', 504],
  ['CANCELED', 499],
  ['UNAVAILABLE', 503],
  ['INTERNAL', 500],
  ['CONFLICT', 409],
  ['RATE_LIMITED', 429],
])('%s is %i', async (kind, status) => {
  const { body, headers, ...answer } = await answerOf(new DevflowError(kind, 'some_code', 'Some words.'))
  expect(answer.status).toBe(status)
  expect(headers.get('content-type')).toBe('application/problem+json')
  expect(headers.has('retry-after')).toBe(status === 503 || status === 429)
  expect(body).toEqual({
    type: 'urn:devflow:problem:some_code',
    title: expect.any(String),
    status,
    detail: 'Some words.',
    kind,
    code: 'some_code',
    instance: '/v1/x',
    traceId: 't',
  })
})

test('every kind has its row above', () => {
  expect(ERROR_KINDS).toHaveLength(11)
})

test.each([
  ['unauthenticated', 'PERMISSION_DENIED', 401],
  ['method_not_allowed', 'INVALID', 405],
  ['body_too_large', 'INVALID', 413],
  ['unsupported_media_type', 'INVALID', 415],
  ['idempotency_key_reused', 'INVALID', 422],
] as const)('%s has a status of its own', async (code, kind, status) => {
  expect(await answerOf(new DevflowError(kind, code, ''))).toMatchObject({ status, body: { kind, code } })
})

test.each([
  ['08006', 503, 'database_away'],
  ['53300', 503, 'database_away'],
  ['57P01', 503, 'database_away'],
  ['ECONNREFUSED', 503, 'database_away'],
  ['57014', 503, 'database_busy'],
  ['55P03', 503, 'database_busy'],
  ['40P01', 503, 'database_busy'],
  ['40001', 503, 'database_busy'],
  ['22P05', 400, 'unstorable'],
  ['22021', 400, 'unstorable'],
  ['54000', 400, 'unstorable'],
  ['23505', 500, 'internal'],
  ['42P01', 500, 'internal'],
  ['P0001', 500, 'internal'],
])('an error of Postgres %s is %i %s and shows nothing of its statement', async (code, status, told) => {
  const { body, ...answer } = await answerOf(sqlError(code))
  expect({ status: answer.status, code: body.code }).toEqual({ status, code: told })
  expect(JSON.stringify(body)).not.toMatch(/select|devflow\.runs/)
})

test.each([
  new Error('at /home/x/file.ts:1'),
  'text',
  undefined,
  null,
  { a: 1 },
  new TypeError('x is not a function'),
])('anything else is 500 internal and shows nothing: %s', async (error) => {
  const { body, status } = await answerOf(error)
  expect({ status, code: body.code, kind: body.kind }).toEqual({
    status: 500,
    code: 'internal',
    kind: 'INTERNAL',
  })
  expect(JSON.stringify(body)).not.toMatch(/file\.ts|function/)
})
