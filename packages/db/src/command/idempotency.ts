import { createHash } from 'node:crypto'
import { DevflowError, LOCAL_OWNER } from '@devflow/contracts'
import canonicalize from 'canonicalize'
import type pg from 'pg'
import { transaction } from './transaction.ts'

/** A request that may come again under the same key. */
export interface KeyedRequest {
  tenant: string
  key: string
  /** Who makes it: it is another's, and not answered, for anyone else. */
  principal: string
  method: string
  path: string
  body: unknown
}

/**
 * What a request answered, and the run it made or moved: the key lives as long as that run. Null: what it made is
 * no run, and is never deleted.
 */
export interface KeyedAnswer<Id extends string | null = string> {
  status: number
  body: unknown
  runId: Id
}

interface Row {
  method: string
  path: string
  body_hash: string
  status: number
  answer: unknown
  run_id: string | null
}

/**
 * Does `work` once for a key, in the transaction that binds the key; the same request again gets the first answer.
 * A refused request (`work` throws) binds nothing. Throws DevflowError INVALID `idempotency_key_reused` for another
 * request under the key, CONFLICT `idempotency_key_in_use` while the first is still in its transaction.
 */
export async function once<Id extends string | null>(
  pool: pg.Pool,
  request: KeyedRequest,
  work: (client: pg.PoolClient) => Promise<KeyedAnswer<Id>>,
): Promise<KeyedAnswer<Id> & { replayed: boolean }> {
  const { principal, body } = request
  const bodyHash = createHash('sha256')
    .update(canonicalize(principal === LOCAL_OWNER ? body : { principal, body }) ?? '')
    .digest('hex')
  return await transaction(pool, async (client, commit) => {
    const [locks, found] = await Promise.all([
      client.query<{ taken: boolean }>({
        name: 'lock-idempotency-key',
        text: 'select pg_try_advisory_xact_lock(hashtextextended($1, 7)) as taken',
        values: [`${request.tenant}/${request.key}`],
      }),
      // Behind the lock: what its last holder bound is seen.
      client.query<Row>({
        name: 'find-idempotency-key',
        text: `select method, path, body_hash, status, answer, run_id from devflow.idempotency_keys where tenant = $1 and key = $2`,
        values: [request.tenant, request.key],
      }),
    ])
    if (!locks.rows[0]?.taken) {
      const message = 'Another request with this Idempotency-Key is under way.'
      throw new DevflowError('CONFLICT', 'idempotency_key_in_use', message, { retryAfter: 1 })
    }
    const [known] = found.rows
    if (known) return { ...replay<Id>(known, request, bodyHash), replayed: true }
    const answer = await work(client)
    const bound = client.query({
      name: 'bind-idempotency-key',
      text: `insert into devflow.idempotency_keys (tenant, key, method, path, body_hash, run_id, status, answer)
             values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb)`,
      values: [
        request.tenant,
        request.key,
        request.method,
        request.path,
        bodyHash,
        answer.runId,
        answer.status,
        JSON.stringify(answer.body ?? null),
      ],
    })
    commit()
    await bound
    return { ...answer, replayed: false }
  })
}

function replay<Id extends string | null>(
  known: Row,
  request: KeyedRequest,
  bodyHash: string,
): KeyedAnswer<Id> {
  const isSame =
    known.method === request.method && known.path === request.path && known.body_hash === bodyHash
  if (!isSame) {
    const message =
      'This Idempotency-Key belongs to another request: another method, path or body, or another caller.'
    throw new DevflowError('INVALID', 'idempotency_key_reused', message)
  }
  // The same method and path, so of the same kind as what `work` answers.
  return { status: known.status, body: known.answer, runId: known.run_id as Id }
}

/** Replaces the answer kept for a key: where the one that went out was made after the transaction. */
export async function keepAnswer(pool: pg.Pool, tenant: string, key: string, body: unknown): Promise<void> {
  await pool.query({
    name: 'keep-answer',
    text: 'update devflow.idempotency_keys set answer = $3::jsonb where tenant = $1 and key = $2',
    values: [tenant, key, JSON.stringify(body)],
  })
}
