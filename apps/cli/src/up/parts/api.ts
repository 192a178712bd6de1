import { DevflowError } from '@devflow/contracts'
import { freePorts, isFree } from '@devflow/local-stack'
import { startNodeChild } from '../node-child.ts'
import type { Supervised } from '../supervise.ts'
import type { UpOptions } from '../up-options.ts'
import { childEnv } from './child-env.ts'
import type { PartContext } from './part-context.ts'

/** Where the API will be: workers are told of it, and start beside it. */
export async function placeApi({ options, endpoints }: PartContext): Promise<number> {
  const { host } = options
  const [port = 0] = await freePorts(1, options.port === 0 ? [] : [options.port], host)
  endpoints.api = addressOf(host, port)
  return port
}

/** The API, always on the port its first start found. */
export async function keepApi(context: PartContext, script: string, place: number): Promise<Supervised> {
  const { options, at, endpoints, keep, notice } = context
  const { host, config } = options
  let port = place
  let isFirst = true
  const startOn = (on: number) =>
    startNodeChild({
      script,
      env: { ...childEnv(context), DEVFLOW_PORT: String(on) },
      logFile: at.log('api'),
      times: config.times,
      onNotice: notice,
    })
  const start = async () => {
    try {
      return await startOn(port)
    } catch (error) {
      // Another stack was quicker to a port that nobody asked for by number.
      if (!isFirst || options.portTold || (await isFree(port, host))) throw error
      ;[port = 0] = await freePorts(1, [], host)
      return startOn(port)
    }
  }
  return keep('API', start, (api) => {
    isFirst = false
    endpoints.api = addressOf(host, api.port ?? port)
    endpoints.pids.api = api.pid
  })
}

/** A port that was asked for by number has to be free: found out before anything is started. */
export async function checkPort({ port, portTold, host }: UpOptions): Promise<void> {
  if (!portTold || port === 0 || (await isFree(port, host))) return
  throw new DevflowError(
    'CONFLICT',
    'port_taken',
    `port ${port} on ${host} is taken by another process: choose another with --port, or let --port 0 find a free one`,
  )
}

/** Where a browser on this machine finds a server that listens on `host`. */
function addressOf(host: string, port: number): string {
  if (host === '0.0.0.0' || host === '::') return `http://127.0.0.1:${port}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
