import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { DevflowError, LOCAL_OWNER, SCOPES, type Scope, type Token } from '@devflow/contracts'
import { isLoopback } from '@devflow/process'

/** Who is calling, what they are as approver lists write it, and what they may. */
export interface Caller {
  principal: string
  holds: readonly string[]
  scopes: readonly Scope[]
  /** The minted token they call with, if it is one. */
  token: Token | undefined
}

/** What came with a request. */
export interface Credentials {
  authorization: string | null
  /** The cookie of a browser. */
  session: string | undefined
}

export interface CallerOptions {
  /** The host the API listens on. */
  host: string
  /** The owner's own, from the configuration. */
  token: string | undefined
  /** Looks a minted token up by its hash, if it lives. */
  find: (hash: string) => Promise<Token | undefined>
}

const OWNER: Caller = {
  principal: LOCAL_OWNER,
  holds: holdsOf(LOCAL_OWNER),
  scopes: SCOPES,
  token: undefined,
}

/** Who has yet to say who they are. */
export const NOBODY: Caller = { principal: '', holds: [], scopes: [], token: undefined }

const MINTED = /^dfl_[A-Za-z0-9_-]{43}$/

/** A new token, of 256 bits. Its prefix tells people and scanners what it is. */
export const newToken = (): string => `dfl_${randomBytes(32).toString('base64url')}`

export const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex')

/**
 * Tells who is calling. On loopback that is the owner unless they say otherwise; a false token is refused there too, a
 * cookie that is none any more says nothing. Rejects with DevflowError PERMISSION_DENIED `unauthenticated` (401).
 */
export async function callerOf(
  { authorization, session }: Credentials,
  options: CallerOptions,
): Promise<Caller> {
  if (authorization !== null) {
    const given = /^Bearer +(\S+)$/i.exec(authorization)?.[1]
    const caller = given === undefined ? undefined : await callerWith(given, options)
    if (caller) return caller
    throw unauthenticated('The token is not valid.')
  }
  const caller = session === undefined ? undefined : await callerWith(session, options)
  if (caller) return caller
  if (isLoopback(options.host)) return OWNER
  throw unauthenticated('A token is required: Authorization: Bearer …')
}

/** Who calls with this token; undefined when it is false, revoked or expired. */
export async function callerWith(
  given: string,
  { token, find }: Pick<CallerOptions, 'token' | 'find'>,
): Promise<Caller | undefined> {
  if (token !== undefined && isSame(given, token)) return OWNER
  const minted = MINTED.test(given) ? await find(hashOf(given)) : undefined
  if (!minted) return undefined
  const { principal, roles, scopes } = minted
  return {
    principal,
    holds: [...holdsOf(principal), ...roles.map((role) => `role:${role}`)],
    scopes: scopes.includes('admin') ? SCOPES : scopes,
    token: minted,
  }
}

/** Throws DevflowError PERMISSION_DENIED `scope_missing` unless the caller has one of these scopes. */
export function mayCall({ scopes }: Caller, needed: readonly Scope[]): void {
  if (needed.length === 0 || needed.some((scope) => scopes.includes(scope))) return
  throw scopeMissing(`This takes the scope ${needed.join(' or ')}, which the token does not have.`)
}

export const scopeMissing = (message: string): DevflowError =>
  new DevflowError('PERMISSION_DENIED', 'scope_missing', message)

export const unauthenticated = (message: string): DevflowError =>
  new DevflowError('PERMISSION_DENIED', 'unauthenticated', message)

function holdsOf(principal: string): string[] {
  return [...(principal === LOCAL_OWNER ? ['owner'] : []), `principal:${principal}`]
}

function isSame(given: string, token: string): boolean {
  return timingSafeEqual(Buffer.from(hashOf(given)), Buffer.from(hashOf(token)))
}
