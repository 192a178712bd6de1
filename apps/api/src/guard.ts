import { DevflowError } from '@devflow/contracts'
import { isLoopback } from '@devflow/process'

/**
 * Refuses calls that a page of another origin has a browser make: a false `Host` after DNS rebinding, a foreign
 * `Origin`. Throws DevflowError PERMISSION_DENIED `host_refused`, `origin_refused`.
 */
export function guard(headers: Headers, url: string, host: string): void {
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
