import type { Scope, Token } from '@devflow/contracts'
import { z } from 'zod'
import { keyOfCursor, type Page, pageOf } from '../read/cursor.ts'
import { isoTime, type Queryable } from '../read/queryable.ts'

interface Row {
  id: string
  tenant: string
  name: string
  principal: string
  scopes: Scope[]
  roles: string[]
  actor: string
  created_at: Date
  expires_at: Date
}

const COLUMNS = 'id, tenant, name, principal, scopes, roles, actor, created_at, expires_at'

const tokenOf = (row: Row): Token => ({
  id: row.id,
  name: row.name,
  scopes: row.scopes,
  principal: row.principal,
  roles: row.roles,
  tenant: row.tenant,
  actor: row.actor,
  createdAt: isoTime(row.created_at),
  expiresAt: isoTime(row.expires_at),
})

export interface MintedToken {
  id: string
  tenant: string
  /** Hex SHA-256 of the token, which nobody keeps. */
  hash: string
  name: string
  principal: string
  scopes: readonly Scope[]
  roles: readonly string[]
  actor: string
  lifeMs: number
  /** The token of the same principal that mints it: it lives no longer than that. */
  parent: string | undefined
}

/** Keeps a token. Undefined when its parent is no more: revoked or expired since it was looked at. */
export async function mintToken(db: Queryable, minted: MintedToken): Promise<Token | undefined> {
  const { id, tenant, hash, name, principal, scopes, roles, actor, lifeMs, parent } = minted
  const { rows } = await db.query<Row>({
    // The parent is held until this commits: a revocation waits, and then ends this one too.
    text: `with p as (select id, expires_at from devflow.tokens where id = $10 and tenant = $2 and expires_at > now() for key share)
           insert into devflow.tokens (id, tenant, hash, name, principal, scopes, roles, actor, parent, created_at, expires_at)
           select $1, $2, $3, $4, $5, $6, $7, $8, p.id, now(), least(now() + make_interval(secs => $9::float8 / 1000), p.expires_at)
           from (select $10::uuid as wanted) w left join p on true where w.wanted is null or p.id is not null
           returning ${COLUMNS}`,
    values: [id, tenant, hash, name, principal, scopes, roles, actor, lifeMs, parent ?? null],
  })
  return rows[0] && tokenOf(rows[0])
}

/** The token of this hash, while it lives. */
export async function tokenOfHash(db: Queryable, hash: string): Promise<Token | undefined> {
  const { rows } = await db.query<Row>({
    name: 'token-of-hash',
    text: `select ${COLUMNS} from devflow.tokens where hash = $1 and expires_at > clock_timestamp()`,
    values: [hash],
  })
  return rows[0] && tokenOf(rows[0])
}

/** Whether it is neither revoked nor expired. */
export async function isTokenAlive(db: Queryable, id: string): Promise<boolean> {
  const { rows } = await db.query({
    name: 'is-token-alive',
    text: 'select 1 from devflow.tokens where id = $1 and expires_at > clock_timestamp()',
    values: [id],
  })
  return rows.length > 0
}

/** Tokens, the latest first, expired ones too; `principal`: only theirs. */
export async function listTokens(
  db: Queryable,
  { tenant, principal }: { tenant: string; principal: string | undefined },
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<Page<Token>> {
  const [before] = cursor === undefined ? [null] : keyOfCursor(cursor, z.tuple([z.uuid()]))
  const { rows } = await db.query<Row>({
    text: `select ${COLUMNS} from devflow.tokens
           where tenant = $1 and ($2::text is null or principal = $2) and ($3::uuid is null or id < $3) order by id desc limit $4`,
    values: [tenant, principal ?? null, before, limit + 1],
  })
  return pageOf(rows, limit, tokenOf, ({ id }) => [id])
}

/** Ends a token, and those that were minted with it for the same principal. False when there was none. */
export async function revokeToken(
  db: Queryable,
  { tenant, principal, id }: { tenant: string; principal: string | undefined; id: string },
): Promise<boolean> {
  const { rowCount } = await db.query({
    text: 'delete from devflow.tokens where tenant = $1 and ($2::text is null or principal = $2) and id = $3',
    values: [tenant, principal ?? null, id],
  })
  return (rowCount ?? 0) > 0
}

/** Forgets tokens that expired before a time. */
export async function pruneTokens(db: Queryable, before: Date): Promise<void> {
  await db.query({ text: 'delete from devflow.tokens where expires_at < $1', values: [before] })
}
