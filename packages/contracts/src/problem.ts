import { z } from 'zod'
import { ErrorDetail, ErrorKind } from './errors.ts'

/** `application/problem+json` (RFC 9457). */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  kind: ErrorKind,
  code: z.string(),
  instance: z.string(),
  traceId: z.string(),
  errors: z.array(ErrorDetail).optional(),
})
export type Problem = z.infer<typeof Problem>

/** The HTTP status of a kind. Finer ones (413, 415, 422, 405, 401) are chosen where the code is known. */
export const STATUS_OF_KIND: Record<ErrorKind, number> = {
  UNKNOWN: 500,
  INVALID: 400,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  PERMISSION_DENIED: 403,
  TIMEOUT: 504,
  CANCELED: 499,
  UNAVAILABLE: 503,
  INTERNAL: 500,
  CONFLICT: 409,
  RATE_LIMITED: 429,
}
