/** Of a token that keeps others out, in characters. */
export const SHORTEST_TOKEN = 20

/** Whether a host name or address, without port and brackets, means this machine alone. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
}
