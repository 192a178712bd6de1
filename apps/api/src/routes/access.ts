import { randomUUIDv7 } from 'node:crypto'
import {
  DevflowError,
  durationMs,
  type Me,
  type NewToken,
  PostSession,
  PostToken,
  type Token,
} from '@devflow/contracts'
import { listTokens, mintToken, type Queryable, revokeToken, tokenOfHash } from '@devflow/db'
import { deleteCookie, setCookie } from 'hono/cookie'
import { z } from 'zod'
import { MeBody, NewTokenBody, TokenPage } from '../bodies.ts'
import { type Caller, callerWith, hashOf, newToken, scopeMissing, unauthenticated } from '../caller.ts'
import type { ApiDeps } from '../deps.ts'
import { NEW_TOKEN } from '../examples.ts'
import { KEY_HEADER, KEY_PROBLEMS, keyed, keyedResponse, REPLAYED_HEADER } from '../keyed.ts'
import type { Operations } from '../operation.ts'
import { paging } from '../query.ts'
import { SESSION_COOKIE } from '../session-cookie.ts'

const tag = 'access'
const USUAL_LIFE_MS = 90 * 86_400_000
const ID = { id: z.string().meta({ description: 'The id of the token.', example: NEW_TOKEN.id }) }

/** Who is calling, and tokens for others to call with. */
export function accessRoutes(operations: Operations, deps: ApiDeps): void {
  const { pool, tenant, token: ownersToken } = deps

  const meOf = ({ principal, holds, scopes }: Caller): Me => ({
    principal,
    tenant,
    scopes: [...scopes],
    approverAs: [...holds],
  })

  operations.add(
    {
      method: 'get',
      path: '/v1/me',
      operationId: 'readMe',
      scope: 'any',
      summary: 'Who is calling, and what they may',
      description:
        'Without a token, on a loopback address, that is the owner of this machine, who may everything.',
      tag,
      answers: { 200: { description: 'The caller.', schema: MeBody } },
    },
    ({ c, caller }) => c.json(meOf(caller)),
  )

  operations.add(
    {
      method: 'post',
      path: '/v1/tokens',
      operationId: 'mintToken',
      scope: 'tokens:write',
      summary: 'Mint a token',
      description:
        'Minted by the owner or an admin, it is a principal of its own unless `principal` says otherwise. Minted by anyone else it is theirs: with no more scopes, no longer than the token it was minted with, and ended with it. The token is shown this once and kept as a hash: a repeat under an Idempotency-Key is answered without it.',
      tag,
      body: PostToken.meta({ id: 'PostToken' }),
      bodyExamples: {
        'For a colleague who decides': {
          name: 'Ann',
          scopes: ['runs:read', 'gates:decide'],
          principal: 'ann',
          roles: ['lead'],
          expiresIn: 'P30D',
        },
        'For a pipeline': { name: 'nightly build', scopes: ['runs:read', 'runs:write'] },
      },
      headers: KEY_HEADER,
      answers: {
        201: { description: 'It is minted.', schema: NewTokenBody },
        200: {
          description: 'The first answer again, without the token.',
          schema: NewTokenBody,
          headers: REPLAYED_HEADER,
        },
      },
      problems: ['tenant_not_found', ...KEY_PROBLEMS],
    },
    async ({ c, body, caller }) => {
      const secret = newToken()
      const answer = await keyed(c, deps, body, async (client) => {
        const minted = await mint(client, { tenant, caller, secret }, body)
        return { status: 201, body: minted, runId: null }
      })
      const shown = answer.replayed
        ? answer.body
        : ({ ...(answer.body as Token), token: secret } satisfies NewToken)
      return keyedResponse(c, { ...answer, body: shown })
    },
  )

  operations.add(
    {
      method: 'get',
      path: '/v1/tokens',
      operationId: 'listTokens',
      scope: 'tokens:write',
      summary: 'List tokens',
      description: 'All of them for an admin, else those of the caller. Expired ones stay a while.',
      tag,
      query: z.strictObject(paging(100, 500)),
      answers: { 200: { description: 'A page of tokens, the latest first.', schema: TokenPage } },
      problems: ['bad_cursor'],
    },
    async ({ c, query, caller }) =>
      c.json(await listTokens(pool, { tenant, principal: onlyOf(caller) }, query)),
  )

  operations.add(
    {
      method: 'delete',
      path: '/v1/tokens/{id}',
      operationId: 'revokeToken',
      scope: 'tokens:write',
      summary: 'Revoke a token',
      description:
        'It holds from the next request on. Those that were minted with it for the same principal end too.',
      tag,
      params: ID,
      answers: { 204: { description: 'It is revoked.' } },
      problems: ['token_not_found'],
    },
    async ({ c, params: { id = '' }, caller }) => {
      const isRevoked =
        z.uuid().safeParse(id).success && (await revokeToken(pool, { tenant, principal: onlyOf(caller), id }))
      if (isRevoked) return c.body(null, 204)
      throw new DevflowError('NOT_FOUND', 'token_not_found', `There is no token ${id.slice(0, 64)}.`)
    },
  )

  operations.add(
    {
      method: 'post',
      path: '/v1/session',
      operationId: 'openSession',
      scope: 'any',
      summary: 'Have a browser call with a token',
      description:
        'Sets an HttpOnly, SameSite=Strict cookie, which counts where no `Authorization` is given.',
      tag,
      body: PostSession.meta({ id: 'PostSession' }),
      bodyExamples: { 'A token': { token: NEW_TOKEN.token } },
      answers: {
        200: {
          description: 'Who is calling from now on.',
          schema: MeBody,
          headers: { 'Set-Cookie': 'The session.' },
        },
      },
    },
    async ({ c, body: { token: given } }) => {
      const find = (hash: string) => tokenOfHash(pool, hash)
      const caller = await callerWith(given, { token: ownersToken, find })
      if (!caller) throw unauthenticated('The token is not valid.')
      setCookie(c, SESSION_COOKIE, given, {
        path: '/',
        httpOnly: true,
        sameSite: 'Strict',
        secure: new URL(c.req.url).protocol === 'https:',
        ...(caller.token ? { expires: new Date(caller.token.expiresAt) } : {}),
      })
      return c.json(meOf(caller))
    },
  )

  operations.add(
    {
      method: 'delete',
      path: '/v1/session',
      operationId: 'closeSession',
      scope: 'any',
      summary: 'Have a browser forget its token',
      tag,
      answers: { 204: { description: 'It is forgotten; the token lives on.' } },
    },
    ({ c }) => {
      deleteCookie(c, SESSION_COOKIE, { path: '/' })
      return c.body(null, 204)
    },
  )
}

/** Whose tokens the caller sees; undefined: everybody's. */
const onlyOf = ({ principal, scopes }: Caller): string | undefined =>
  scopes.includes('admin') ? undefined : principal

/** Throws DevflowError NOT_FOUND `tenant_not_found`, PERMISSION_DENIED `scope_missing`, `unauthenticated`. */
async function mint(
  db: Queryable,
  { tenant, caller, secret }: { tenant: string; caller: Caller; secret: string },
  { name, scopes, roles = [], expiresIn, principal, tenant: wanted = tenant }: z.output<typeof PostToken>,
): Promise<Token> {
  if (wanted !== tenant)
    throw new DevflowError('NOT_FOUND', 'tenant_not_found', `There is no tenant ${wanted.slice(0, 64)}.`)
  const isAdmin = caller.scopes.includes('admin')
  const missing = scopes.filter((scope) => !caller.scopes.includes(scope))
  if (missing.length > 0)
    throw scopeMissing(
      `A token has no more scopes than the one it is minted with, which lacks ${missing.join(', ')}.`,
    )
  const unheld = roles.filter((role) => !isAdmin && !caller.holds.includes(`role:${role}`))
  if (unheld.length > 0)
    throw scopeMissing(`Only an admin gives roles that the caller does not have: ${unheld.join(', ')}.`)
  if (!isAdmin && principal !== undefined && principal !== caller.principal)
    throw scopeMissing(`Only an admin mints tokens for others: ${caller.principal} is who calls.`)
  const id = randomUUIDv7()
  const minted = await mintToken(db, {
    id,
    tenant,
    hash: hashOf(secret),
    name,
    principal: isAdmin ? (principal ?? `token:${id}`) : caller.principal,
    scopes,
    roles,
    actor: caller.principal,
    lifeMs: expiresIn === undefined ? USUAL_LIFE_MS : durationMs(expiresIn),
    parent: isAdmin ? undefined : caller.token?.id,
  })
  // The one it was to be minted with has ended since the request came in.
  if (!minted) throw unauthenticated('The token is not valid.')
  return minted
}
