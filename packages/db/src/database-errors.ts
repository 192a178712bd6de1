/** What to do with a failed statement: send it again as it is, look for the guilty member, or give up. */
export type FailureKind = 'transient' | 'poison' | 'permanent'

/** Socket errors of a connection that is gone or cannot be made, as Node names them. */
const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
])

/** `pg` reports these ends of a connection without a code. */
const GONE =
  /connection (terminated|timeout|ended)|Client has encountered a connection error|timeout exceeded when trying to connect|Client was closed/i

/**
 * Sorts an error of `pg`. Transient: 08 connection, 40 serialization and deadlock, 53 resources (disk full, too many
 * connections), 55 locks, 57 shutdown and cancel, 58 I/O, and sockets. Poison: 22 data, 23 constraint, 54 limits.
 */
export function failureKind(error: unknown): FailureKind {
  if (!(error instanceof Error)) return 'permanent'
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (SOCKET_CODES.has(code) || GONE.test(error.message)) return 'transient'
  if (error instanceof AggregateError && error.errors.length > 0) return failureKind(error.errors[0])
  if (/^(08|40|53|55|57|58)/.test(code)) return 'transient'
  if (/^(22|23|54)/.test(code)) return 'poison'
  return 'permanent'
}
