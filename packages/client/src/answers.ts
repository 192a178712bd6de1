import { ERROR_KINDS, type ErrorDetail, type ErrorKind } from '@devflow/contracts'
import { type DevflowError, errorOfKind, UnknownError } from './errors.ts'
import { retryAfterOf } from './retry.ts'

/** Kinds of the statuses that others send in the API's place: proxies, gateways, portals. */
const KIND_OF_STATUS: Record<number, ErrorKind> = {
  401: 'PERMISSION_DENIED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  408: 'TIMEOUT',
  409: 'CONFLICT',
  410: 'NOT_FOUND',
  429: 'RATE_LIMITED',
  499: 'CANCELED',
  500: 'INTERNAL',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'TIMEOUT',
}

/** The error that an answer says: a problem document (RFC 9457), or whatever stands in its place. */
export function errorOfAnswer(response: Response, text: string): DevflowError {
  const { status, headers } = response
  const retryAfter = retryAfterOf(headers.get('retry-after'))
  const problem = problemIn(text)
  const kind =
    problem.kind ?? KIND_OF_STATUS[status] ?? (status >= 400 && status < 500 ? 'INVALID' : 'UNKNOWN')
  const detail = problem.detail ?? `The API answered ${status}, and not with a problem: ${excerpt(text)}`
  return errorOfKind(kind, problem.code ?? 'unexpected_answer', detail, {
    status,
    retryAfter,
    errors: problem.errors,
    traceId: problem.traceId ?? headers.get('x-request-id') ?? undefined,
  })
}

/** A JSON body. Throws UnknownError `unexpected_answer` when it is none. */
export function jsonIn(response: Response, text: string): unknown {
  const parsed = parse(text)
  if (parsed !== undefined) return parsed.value
  const { status } = response
  const detail = `The API answered ${status}, and not with JSON: ${excerpt(text)}`
  throw new UnknownError('UNKNOWN', 'unexpected_answer', detail, { status })
}

interface SeenProblem {
  kind?: ErrorKind
  code?: string
  detail?: string
  traceId?: string
  errors?: ErrorDetail[]
}

/** Field by field: a kind that only a newer API knows falls to that of its status. */
function problemIn(text: string): SeenProblem {
  const value = parse(text)?.value
  if (value === null || typeof value !== 'object') return {}
  const fields: Record<string, unknown> = { ...value }
  const { detail, traceId } = fields
  // What answers in JSON without a code is not the API.
  if (typeof fields.code !== 'string' || typeof detail !== 'string') return {}
  return {
    kind: ERROR_KINDS.find((kind) => kind === fields.kind),
    code: fields.code,
    detail,
    traceId: typeof traceId === 'string' ? traceId : undefined,
    errors: Array.isArray(fields.errors) ? fields.errors.filter(isDetail) : undefined,
  }
}

const isDetail = (value: unknown): value is ErrorDetail =>
  typeof value === 'object' && value !== null && 'path' in value && 'message' in value

function parse(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    // Whoever asked says what is wrong.
    return undefined
  }
}

function excerpt(text: string): string {
  const words = text
    .replace(/<(script|style)[\s\S]*?<\/\1>|<[^>]*>/gi, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  return words === '' ? '(empty)' : words.slice(0, 300)
}
