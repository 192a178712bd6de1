import type { ErrorDetail, ErrorKind, ErrorRecord } from './errors.ts'

/** An expected failure. Thrown inside, mapped once at each edge (HTTP problem, Temporal failure, exit code). */
export class DevflowError extends Error {
  override readonly name: string = 'DevflowError'
  readonly kind: ErrorKind
  readonly code: string
  readonly errors: ErrorDetail[] | undefined
  /** Seconds after which trying again makes sense; for RATE_LIMITED and UNAVAILABLE. */
  readonly retryAfter: number | undefined

  constructor(
    kind: ErrorKind,
    code: string,
    message: string,
    more: { errors?: ErrorDetail[]; retryAfter?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause })
    this.kind = kind
    this.code = code
    this.errors = more.errors
    this.retryAfter = more.retryAfter
  }

  get record(): ErrorRecord {
    return {
      kind: this.kind,
      code: this.code,
      message: this.message,
      ...(this.errors ? { errors: this.errors } : {}),
    }
  }
}
