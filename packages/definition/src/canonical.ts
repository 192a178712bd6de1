import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'

/**
 * RFC 8785 text of a JSON value: the same whatever the order of its keys. Throws a TypeError for what JSON
 * cannot say (NaN, undefined, functions) or RFC 8785 forbids (lone surrogates).
 */
export function canonicalText(value: unknown): string {
  const text = canonicalize(value)
  if (text === undefined) throw new TypeError('not a JSON value')
  return text
}

/** Hex SHA-256 of `canonicalText(value)`. */
export function canonicalHash(value: unknown): string {
  return createHash('sha256').update(canonicalText(value)).digest('hex')
}
