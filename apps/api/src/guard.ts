import { createHash, timingSafeEqual } from 'node:crypto'
import { DevflowError, LOCAL_OWNER, SCOPES, type Scope } from '@devflow/contracts'
import { isLoopback } from '@devflow/process'

/** Who is calling, and what they are as approver lists write it. */
export interface Caller {
  principal: string
  holds: readonly string[]
  scopes: readonly Scope[]
}

export interface GuardOptions {
  /** The host the API listens on. */
  host: string
  /** Required of every call when set and the host is not loopback; a false one is refused anywhere. */
  token: string | undefined
}

const OWNER: Caller = {
  principal: LOCAL_OWNER,
  holds: ['owner', `principal:${LOCAL_OWNER}`],
  scopes: SCOPES,
}

/**
 * Refuses calls that a page of another origin has a browser make (a false `Host` after DNS rebinding, a foreign
 * `Origin`), and calls with a false token. Throws DevflowError PERMISSION_DENIED `host_refused`, `origin_refused`,
 * `unauthenticated` (401).
 */
export function guard(headers: Headers, url: string, { host, token }: GuardOptions): Caller {
  const asked = headers.get('host') ?? new URL(url).host
  if (!isOwnHost(asked, host)) {
    throw new DevflowError(
      'PERMISSION_DENIED',
      'host_refused',
      'This API does not answer under that host name.',
    )
  }
  const origin = headers.get('origin')
  if (origin !== null && !isOwnOrigin(origin, asked, host)) {
    throw new DevflowError('PERMISSION_DENIED', 'origin_refused', 'Calls from that origin are refused.')
  }
  const authorization = headers.get('authorization')
  if (authorization === null && isLoopback(host)) return OWNER
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
  if (given !== undefined && token !== undefined && isSame(given, token)) return OWNER
  const message =
    authorization === null ? 'A token is required: Authorization: Bearer …' : 'The token is not valid.'
  throw new DevflowError('PERMISSION_DENIED', 'unauthenticated', message)
}

function isOwnHost(asked: string, host: string): boolean {
  const name = hostName(`http://${asked}`)
  if (name === undefined) return false
  // Bound to every address, it cannot know its names; the token it then demands is what a foreign page lacks.
  return isLoopback(name) || name === host || host === '0.0.0.0' || host === '::'
}

function isOwnOrigin(origin: string, asked: string, host: string): boolean {
  const name = hostName(origin)
  if (name === undefined) return false
  // A loopback page may call on loopback: the console in development runs on a port of its own.
  return isLoopback(name)
    ? isLoopback(host) || new URL(origin).host === asked
    : new URL(origin).host === asked
}

function hostName(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined
  const { hostname, protocol, username, pathname } = new URL(url)
  if (!/^https?:$/.test(protocol) || username !== '' || pathname !== '/') return undefined
  return hostname.replace(/^\[(.*)\]$/, '$1')
}

function isSame(given: string, token: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(given), hash(token))
}
