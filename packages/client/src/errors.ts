import { type ErrorDetail, type ErrorKind, DevflowError as Failure, type Run } from '@devflow/contracts'

/** What is known of an error beside its kind, its code and its words. */
export interface ErrorFacts {
  /** HTTP status, when there was an answer. */
  status?: number
  /** Where in what was sent the error is. */
  errors?: ErrorDetail[]
  /** Under which the API's log has it. */
  traceId?: string
  /** Seconds after which trying again makes sense. */
  retryAfter?: number
  cause?: unknown
}

/** Whatever goes wrong between a program and Devflow. `kind` says what a caller can do, `code` what happened. */
export class DevflowError extends Failure {
  override readonly name: string = 'DevflowError'
  readonly status: number | undefined
  readonly traceId: string | undefined

  constructor(kind: ErrorKind, code: string, detail: string, facts: ErrorFacts = {}) {
    super(kind, code, detail, facts)
    this.status = facts.status
    this.traceId = facts.traceId
  }

  get detail(): string {
    return this.message
  }
}

/** INVALID: what was sent is wrong; `errors` says where. */
export class ValidationError extends DevflowError {
  override readonly name = 'ValidationError'
}

/** NOT_FOUND */
export class NotFoundError extends DevflowError {
  override readonly name = 'NotFoundError'
}

/** ALREADY_EXISTS */
export class AlreadyExistsError extends DevflowError {
  override readonly name = 'AlreadyExistsError'
}

/** PERMISSION_DENIED: 401 without a valid token, else 403. */
export class PermissionDeniedError extends DevflowError {
  override readonly name = 'PermissionDeniedError'
}

/** TIMEOUT: there was no answer in time, or the API says that something took too long. */
export class TimeoutError extends DevflowError {
  override readonly name = 'TimeoutError'
}

/** CANCELED */
export class CanceledError extends DevflowError {
  override readonly name = 'CanceledError'
}

/** UNAVAILABLE: the API is there and cannot serve now. */
export class UnavailableError extends DevflowError {
  override readonly name = 'UnavailableError'
}

/** INTERNAL: a defect; tell whoever runs the API the `traceId`. */
export class InternalError extends DevflowError {
  override readonly name = 'InternalError'
}

/** CONFLICT: not as things stand. */
export class ConflictError extends DevflowError {
  override readonly name = 'ConflictError'
}

/** RATE_LIMITED */
export class RateLimitedError extends DevflowError {
  override readonly name = 'RateLimitedError'
}

/** UNKNOWN: an answer that nobody understands. */
export class UnknownError extends DevflowError {
  override readonly name = 'UnknownError'
}

/** The API was not reached, or the connection broke. Kind UNAVAILABLE. */
export class ConnectionError extends DevflowError {
  override readonly name = 'ConnectionError'
}

/** `execute` came to no output: the run failed, was canceled, or waits for someone. The kind and the code are the run's. */
export class ExecutionError extends DevflowError {
  override readonly name = 'ExecutionError'
  readonly run: Run

  constructor(run: Run, kind: ErrorKind, code: string, detail: string, facts: ErrorFacts = {}) {
    super(kind, code, detail, facts)
    this.run = run
  }
}

const CLASS_OF_KIND: Record<ErrorKind, typeof DevflowError> = {
  UNKNOWN: UnknownError,
  INVALID: ValidationError,
  NOT_FOUND: NotFoundError,
  ALREADY_EXISTS: AlreadyExistsError,
  PERMISSION_DENIED: PermissionDeniedError,
  TIMEOUT: TimeoutError,
  CANCELED: CanceledError,
  UNAVAILABLE: UnavailableError,
  INTERNAL: InternalError,
  CONFLICT: ConflictError,
  RATE_LIMITED: RateLimitedError,
}

/** An error of its kind's class. */
export function errorOfKind(
  kind: ErrorKind,
  code: string,
  detail: string,
  facts: ErrorFacts = {},
): DevflowError {
  return new CLASS_OF_KIND[kind](kind, code, detail, facts)
}

export const invalid = (code: string, detail: string, path: string, message: string): ValidationError =>
  new ValidationError('INVALID', code, detail, { errors: [{ path, message }] })
