import { z } from 'zod'

export const ERROR_KINDS = [
  'UNKNOWN',
  'INVALID',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'TIMEOUT',
  'CANCELED',
  'UNAVAILABLE',
  'INTERNAL',
  'CONFLICT',
  'RATE_LIMITED',
] as const

/** I11: every error has a kind, which says what a caller can do, and a stable code, which says what happened. */
export const ErrorKind = z.enum(ERROR_KINDS)
export type ErrorKind = z.infer<typeof ErrorKind>

/** Where in an input an error is: `path` reads like `phases[2].gate.deadline`. */
export const ErrorDetail = z.object({ path: z.string(), message: z.string() })
export type ErrorDetail = z.infer<typeof ErrorDetail>

/** An error on record: in a run, a phase, a call, an event. */
export const ErrorRecord = z.object({
  kind: ErrorKind,
  code: z.string(),
  message: z.string(),
  errors: z.array(ErrorDetail).optional(),
})
export type ErrorRecord = z.infer<typeof ErrorRecord>

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
