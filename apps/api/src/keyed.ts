import { DevflowError } from '@devflow/contracts'
import { type KeyedAnswer, once, type Queryable, transaction } from '@devflow/db'
import type { Context } from 'hono'
import type pg from 'pg'
import type { Env } from './operation.ts'

export const KEY_HEADER = {
  'Idempotency-Key':
    '1–255 printable ASCII characters: the same request again gets the first answer, with 200.',
}

/** What a repeat is answered with. */
export const REPLAYED = 'The first answer again, for a repeated Idempotency-Key.'
export const REPLAYED_HEADER = { 'Idempotency-Replayed': '`true`.' }

/** The problems of an operation that takes an Idempotency-Key. */
export const KEY_PROBLEMS = [
  'bad_idempotency_key',
  'idempotency_key_in_use',
  'idempotency_key_reused',
] as const

export interface KeyedResult<Id extends string | null = string | null> extends KeyedAnswer<Id> {
  replayed: boolean
  key: string | undefined
}

/**
 * Does the work of a POST in one transaction, once for its Idempotency-Key if it has one; `commit`, where it has none, as
 * `transaction` gives it. Throws DevflowError INVALID `bad_idempotency_key`, and what `once` throws.
 */
export async function keyed<Id extends string | null>(
  c: Context<Env>,
  { pool, tenant }: { pool: pg.Pool; tenant: string },
  body: unknown,
  work: (client: pg.PoolClient, commit?: () => void) => Promise<KeyedAnswer<Id>>,
): Promise<KeyedResult<Id>> {
  const key = c.req.header('idempotency-key')
  if (key === undefined) return { ...(await transaction(pool, work)), replayed: false, key }
  if (!/^[\x20-\x7e]{1,255}$/.test(key)) {
    const message = 'An Idempotency-Key has 1 to 255 printable ASCII characters.'
    const errors = [{ path: 'Idempotency-Key', message: 'expected 1 to 255 printable ASCII characters' }]
    throw new DevflowError('INVALID', 'bad_idempotency_key', message, { errors })
  }
  const { principal } = c.get('caller')
  const request = { tenant, key, principal, method: c.req.method, path: c.req.path, body: body ?? null }
  return { ...(await once(pool, request, work)), key }
}

/**
 * `keyed` for work whose writing is one statement: where there is no key, that is a transaction by itself, and saves the
 * round trips of one around it.
 */
export async function keyedStatement<Id extends string | null>(
  c: Context<Env>,
  deps: { pool: pg.Pool; tenant: string },
  body: unknown,
  work: (db: Queryable) => Promise<KeyedAnswer<Id>>,
): Promise<KeyedResult<Id>> {
  if (c.req.header('idempotency-key') !== undefined) return await keyed(c, deps, body, work)
  return { ...(await work(deps.pool)), replayed: false, key: undefined }
}

/** A replayed answer is 200, whatever the first was. */
export function keyedResponse(c: Context<Env>, { status, body, replayed }: KeyedResult): Response {
  if (replayed) c.header('idempotency-replayed', 'true')
  c.header('content-type', 'application/json')
  return c.body(JSON.stringify(body), replayed ? 200 : (status as 200 | 201 | 202))
}
