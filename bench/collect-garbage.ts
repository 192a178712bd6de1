import { setTimeout as pause } from 'node:timers/promises'

/** Where a Node process listens for a debugger once it is told to by SIGUSR1, unless another one does already. */
const DEBUGGER = 'http://127.0.0.1:9229/json/list'
const LONGEST_WAIT_MS = 10_000

interface Reply {
  id?: number
  method?: string
  params?: { sessionId?: string; message?: string }
}

/**
 * Lets a Node process and its threads collect their garbage, so that its memory says what it holds and not when it last
 * tidied up. Through the inspector, which stays open in it afterwards, on loopback.
 */
export async function collectGarbage(pid: number): Promise<void> {
  process.kill(pid, 'SIGUSR1')
  const socket = new WebSocket(await debuggerUrl())
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true })
    socket.addEventListener('error', () => reject(new Error(`no debugger of process ${pid}`)), { once: true })
  })
  try {
    let last = 0
    const waiting = new Map<number, () => void>()
    const ask = (method: string, params: object = {}): Promise<void> => {
      const id = ++last
      socket.send(JSON.stringify({ id, method, params }))
      return new Promise((resolve) => waiting.set(id, resolve))
    }
    const threads: string[] = []
    socket.addEventListener('message', ({ data }) => {
      const { id, method, params } = JSON.parse(String(data)) as Reply
      if (id !== undefined) waiting.get(id)?.()
      if (method === 'NodeWorker.attachedToWorker' && params?.sessionId) threads.push(params.sessionId)
      if (method === 'NodeWorker.receivedMessageFromWorker' && params?.message)
        waiting.get((JSON.parse(params.message) as Reply).id ?? 0)?.()
    })
    await ask('NodeWorker.enable', { waitForDebuggerOnStart: false })
    await ask('HeapProfiler.collectGarbage')
    for (const sessionId of threads) {
      const id = ++last
      const collected = new Promise<void>((resolve) => waiting.set(id, resolve))
      const message = JSON.stringify({ id, method: 'HeapProfiler.collectGarbage' })
      await ask('NodeWorker.sendMessageToWorker', { sessionId, message })
      await collected
    }
  } finally {
    socket.close()
  }
}

async function debuggerUrl(): Promise<string> {
  for (const until = Date.now() + LONGEST_WAIT_MS; ; ) {
    try {
      const [target] = (await (await fetch(DEBUGGER)).json()) as { webSocketDebuggerUrl: string }[]
      if (target) return target.webSocketDebuggerUrl
    } catch (error) {
      if (Date.now() > until) throw error
    }
    await pause(100)
  }
}
