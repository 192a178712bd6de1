import { randomBytes, randomUUID } from 'node:crypto'
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { testDatabase } from '../testing.ts'
import { listTokens, mintToken, pruneTokens, revokeToken, tokenOfHash } from './tokens.ts'

const TENANT = 'default'
const DAY_MS = 86_400_000

async function database() {
  const { url, close } = await testDatabase()
  const pool = new pg.Pool({ connectionString: url, max: 4 })
  onTestFinished(async () => {
    await pool.end()
    await close()
  })
  return pool
}

async function minted(db: pg.Pool, more: { tenant?: string; lifeMs?: number; parent?: string } = {}) {
  const { tenant = TENANT, lifeMs = DAY_MS, parent } = more
  const hash = randomBytes(32).toString('hex')
  const names = {
    name: 'x',
    principal: 'ann',
    scopes: ['runs:read'] as const,
    roles: ['lead'],
    actor: 'owner',
  }
  const token = await mintToken(db, { id: randomUUID(), tenant, hash, ...names, lifeMs, parent })
  return token && { ...token, hash }
}

test('an expired token is nobody’s at once, and forgotten after a while', async () => {
  const db = await database()
  const [long, short] = [await minted(db), await minted(db, { lifeMs: 1 })]
  expect(await tokenOfHash(db, long?.hash ?? '')).toMatchObject({ principal: 'ann', roles: ['lead'] })
  expect(await tokenOfHash(db, short?.hash ?? '')).toBeUndefined()
  const ids = async () =>
    (await listTokens(db, { tenant: TENANT, principal: undefined }, { limit: 10 })).items.map(({ id }) => id)
  await pruneTokens(db, new Date(Date.now() - DAY_MS))
  expect((await ids()).sort()).toEqual([long?.id, short?.id].sort())
  await pruneTokens(db, new Date(Date.now() + 1_000))
  expect(await ids()).toEqual([long?.id])
})

test('a token is not minted with one that is revoked or expired, or another tenant’s; a revocation takes what was', async () => {
  const db = await database()
  const [parent, short, foreign] = [
    await minted(db),
    await minted(db, { lifeMs: 1 }),
    await minted(db, { tenant: 'acme' }),
  ]
  const child = await minted(db, { parent: parent?.id ?? '', lifeMs: 30 * DAY_MS })
  expect(child?.expiresAt).toBe(parent?.expiresAt)
  const grandchild = await minted(db, { parent: child?.id ?? '' })
  expect(await minted(db, { parent: short?.id ?? '' })).toBeUndefined()
  expect(await minted(db, { parent: foreign?.id ?? '' })).toBeUndefined()
  expect(await revokeToken(db, { tenant: 'acme', principal: undefined, id: parent?.id ?? '' })).toBe(false)
  expect(await revokeToken(db, { tenant: TENANT, principal: 'bob', id: parent?.id ?? '' })).toBe(false)
  expect(await revokeToken(db, { tenant: TENANT, principal: 'ann', id: parent?.id ?? '' })).toBe(true)
  for (const gone of [parent, child, grandchild])
    expect(await tokenOfHash(db, gone?.hash ?? '')).toBeUndefined()
  expect(await minted(db, { parent: parent?.id ?? '' })).toBeUndefined()
})

test('of many that are minted with a token while it is revoked, none is left, and none fails', async () => {
  const db = await database()
  for (let round = 0; round < 20; round += 1) {
    const parent = await minted(db)
    const id = parent?.id ?? ''
    const mints = (count: number) => Array.from({ length: count }, () => minted(db, { parent: id }))
    const before = mints(2)
    const revoked = revokeToken(db, { tenant: TENANT, principal: undefined, id })
    const made = await Promise.all([...before, ...mints(2)])
    expect(await revoked).toBe(true)
    for (const token of made) if (token) expect(await tokenOfHash(db, token.hash)).toBeUndefined()
  }
})
