import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'

/** Whether a server could listen there now. Another process may be quicker: who binds has to be ready to fail. */
export async function isFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  const server = createServer()
  const isOurs = await listens(server, port, host)
  await closed(server)
  return isOurs
}

/** As many ports as asked, all different, all free a moment ago. `preferred` ones are taken when they are free. */
export async function freePorts(
  count: number,
  preferred: readonly number[] = [],
  host = '127.0.0.1',
): Promise<number[]> {
  // Held open together, so that no two are the same.
  const servers = Array.from({ length: count }, () => createServer())
  try {
    const ports: number[] = []
    for (const [index, server] of servers.entries()) {
      const wish = preferred[index]
      // No look before: somebody who looks at the same moment would be in the way.
      if (wish === undefined || !(await listens(server, wish, host))) await listening(server, 0, host)
      const address = server.address()
      if (address === null || typeof address === 'string') throw new TypeError('not a TCP server')
      ports.push(address.port)
    }
    return ports
  } finally {
    await Promise.all(servers.map(closed))
  }
}

const listens = (server: Server, port: number, host: string): Promise<boolean> =>
  listening(server, port, host).then(
    () => true,
    () => false,
  )

async function listening(server: Server, port: number, host: string): Promise<void> {
  server.listen({ port, host, exclusive: true })
  await once(server, 'listening')
}

async function closed(server: Server): Promise<void> {
  if (server.listening) await new Promise((resolve) => server.close(resolve))
}

/** Whether a server takes connections there. */
export function accepts(port: number, host = '127.0.0.1'): Promise<boolean> {
  const socket = connect({ port, host })
  return new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
  }).finally(() => socket.destroy())
}
