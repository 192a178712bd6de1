import { DevflowError } from '@devflow/contracts'
import { type Service, startService } from '@devflow/local-stack'
import { ChildMessage } from '@devflow/process'
import type { Running } from './supervise.ts'
import type { Times } from './times.ts'

export interface NodeChildOptions {
  /** The script's path. */
  script: string
  env: NodeJS.ProcessEnv
  logFile: string
  times: Times
  /** Milliseconds until it has to be ready; 60,000 unless told. */
  readyMs?: number
  /** Hears what the process has to say to people. */
  onNotice?(text: string): void
}

export interface NodeChild extends Running {
  /** Where it listens, if it does. */
  readonly port: number | undefined
}

/**
 * Starts one of our own processes and waits for its `ready`. From then on it is pinged: one that answers nothing for the
 * ping timeout is frozen and is killed, which its supervisor makes good. Rejects when it ends before it is ready.
 */
export async function startNodeChild(options: NodeChildOptions): Promise<NodeChild> {
  const { times, readyMs = 60_000 } = options
  const ready = Promise.withResolvers<number | undefined>()
  let unanswered = 0
  const service = await startService({
    command: process.execPath,
    args: [options.script],
    env: options.env,
    logFile: options.logFile,
    stopSignal: 'SIGTERM',
    onMessage: (message) => {
      const heard = ChildMessage.safeParse(message)
      if (heard.data?.type === 'pong') unanswered = 0
      if (heard.data?.type === 'notice') options.onNotice?.(heard.data.text)
      if (heard.data?.type === 'ready') ready.resolve(heard.data.port)
    },
  })
  const port = await firstOf(ready.promise, service, readyMs)

  let n = 0
  let frozen = false
  // Missed pings are counted, not the clock: after the machine has slept, nobody is late.
  const pinging = setInterval(() => {
    if (unanswered * times.pingIntervalMs >= times.pingTimeoutMs) {
      frozen = true
      void service.kill()
      return
    }
    unanswered++
    service.send({ type: 'ping', n: n++ })
  }, times.pingIntervalMs)
  const exited = service.exited.then((how) => {
    clearInterval(pinging)
    return frozen ? `answered no ping for ${times.pingTimeoutMs} ms and was killed` : how
  })
  return { ...service, exited, port }
}

async function firstOf(ready: Promise<number | undefined>, service: Service, readyMs: number) {
  const late = Promise.withResolvers<string>()
  const timer = setTimeout(() => late.resolve(`was not ready after ${readyMs} ms`), readyMs)
  const first = await Promise.race([
    ready.then((port) => ({ port })),
    Promise.race([service.exited, late.promise]).then((how) => ({ how })),
  ])
  clearTimeout(timer)
  if ('port' in first) return first.port
  await service.kill()
  throw new DevflowError('UNAVAILABLE', 'part_failed', `${first.how}\n${service.printed()}`.trim())
}
