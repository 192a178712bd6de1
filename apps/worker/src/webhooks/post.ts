import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { useAgent } from 'request-filtering-agent'

export interface PostOptions {
  /** Hosts that may be told though their address is of this machine or a private network. */
  privateHosts: readonly string[]
  timeoutMs: number
  signal: AbortSignal
}

/**
 * Posts a body to an address somebody named, and resolves to the status of the answer. Addresses of this machine and of
 * private networks are refused, whatever name leads to them, unless their host is allowed; redirects are not followed.
 * Rejects when there is no answer in time.
 */
export async function post(
  address: string,
  headers: Record<string, string>,
  body: string,
  { privateHosts, timeoutMs, signal }: PostOptions,
): Promise<number> {
  const url = new URL(address)
  const send = url.protocol === 'https:' ? tlsRequest : plainRequest
  return await new Promise((resolve, reject) => {
    const request = send(
      url,
      {
        method: 'POST',
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
        // The address that the name leads to is checked when it is connected to: another look-up cannot come between.
        ...(privateHosts.includes(url.hostname) ? {} : { agent: useAgent(address) }),
      },
      (response) => {
        // The status says it all: what else is answered is not ours to keep.
        response.on('error', () => {}).destroy()
        resolve(response.statusCode ?? 0)
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}
