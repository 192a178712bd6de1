import { STATUS_CODES } from 'node:http'
import {
  DevflowError,
  type ErrorDetail,
  type ErrorKind,
  type Problem,
  STATUS_OF_KIND,
} from '@devflow/contracts'
import { failureKind } from '@devflow/db'

/** Statuses finer than their kind's. */
const STATUS_OF_CODE: Record<string, number> = {
  unauthenticated: 401,
  method_not_allowed: 405,
  body_too_large: 413,
  unsupported_media_type: 415,
  idempotency_key_reused: 422,
}

/** The HTTP status of an error. */
export const statusOf = (kind: ErrorKind, code: string): number =>
  STATUS_OF_CODE[code] ?? STATUS_OF_KIND[kind]

/** What an error tells a client. */
export interface Failure {
  kind: ErrorKind
  code: string
  status: number
  detail: string
  errors?: ErrorDetail[]
  /** Seconds. */
  retryAfter?: number
}

const DATABASE_AWAY: Failure = {
  kind: 'UNAVAILABLE',
  code: 'database_away',
  status: 503,
  detail:
    'The database does not answer. What was asked may still have been taken: repeat it with its Idempotency-Key.',
  retryAfter: 2,
}

const DATABASE_BUSY: Failure = {
  kind: 'UNAVAILABLE',
  code: 'database_busy',
  status: 503,
  detail: 'The database took too long. Nothing of this request was kept.',
  retryAfter: 2,
}

const INTERNAL: Failure = {
  kind: 'INTERNAL',
  code: 'internal',
  status: 500,
  detail: 'Something went wrong inside Devflow. The log of the API says what, under this traceId.',
}

/** The one place where errors become what clients see: DevflowError, errors of Postgres, and everything else. */
export function failureOf(error: unknown): Failure {
  if (error instanceof DevflowError) {
    const status = statusOf(error.kind, error.code)
    const retryAfter = error.retryAfter ?? (status === 503 || status === 429 ? 2 : undefined)
    return {
      kind: error.kind,
      code: error.code,
      status,
      detail: error.message,
      errors: error.errors,
      retryAfter,
    }
  }
  const sqlState =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
  // 57014: statement_timeout; 55P03: lock_timeout; class 40: a deadlock or a serialisation that lost.
  if (/^(57014|55P03|40...)$/.test(sqlState)) return DATABASE_BUSY
  if (error instanceof Error && /Query read timeout/.test(error.message)) return DATABASE_BUSY
  if (failureKind(error) === 'transient') return DATABASE_AWAY
  if (/^(22|54)...$/.test(sqlState)) {
    return {
      kind: 'INVALID',
      code: 'unstorable',
      status: 400,
      detail: 'The request holds a value that cannot be stored.',
    }
  }
  return INTERNAL
}

interface Occasion {
  /** The path asked for, without its query. */
  instance: string
  traceId: string
}

/** RFC 9457. */
export function problemOf({ kind, code, status, detail, errors }: Failure, occasion: Occasion): Problem {
  return {
    type: `urn:devflow:problem:${code}`,
    title: STATUS_CODES[status] ?? 'Client Closed Request',
    status,
    detail,
    kind,
    code,
    ...occasion,
    ...(errors && errors.length > 0 ? { errors } : {}),
  }
}

export function problemResponse(failure: Failure, occasion: Occasion): Response {
  const { status, retryAfter } = failure
  const headers = new Headers({ 'content-type': 'application/problem+json' })
  if (retryAfter !== undefined) headers.set('retry-after', String(retryAfter))
  if (status === 401) headers.set('www-authenticate', 'Bearer')
  return new Response(JSON.stringify(problemOf(failure, occasion)), { status, headers })
}
