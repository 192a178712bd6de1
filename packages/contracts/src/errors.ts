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
