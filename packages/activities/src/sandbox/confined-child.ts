import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { z } from 'zod'

/** What a child is started from; `feeds` are written to its descriptors from 3 on, `info` is read from the one after. */
export interface ChildStart {
  file: string
  args: readonly string[]
  env: Record<string, string>
  cwd: string
  stdin: 'ignore' | 'pipe'
  feeds: readonly (Buffer | string)[]
  /** It is bubblewrap, which tells the first process of its sandbox. */
  tellsInfo: boolean
}

const Info = z.object({ 'child-pid': z.int().positive() })

const KILL_AGAIN_MS = 100
/** So often the sandbox's first process alone is killed, before its outer half is too. */
const GENTLE_KILLS = 10

/**
 * A child process with all it starts. In a sandbox its end comes from killing the first process of the pid namespace:
 * the kernel then kills all others, whatever sessions and groups they made, and bubblewrap ends once none is left. So
 * whoever has waited for `ended` knows that nothing of it writes to its directory any more.
 */
export class ConfinedChild {
  readonly process: ChildProcess
  /** Rejects when it could not be started. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  #first: number | undefined
  #killing: NodeJS.Timeout | undefined
  #isOver = false

  constructor(start: ChildStart, onFirstProcess: (pid: number) => void = () => {}) {
    const extra = [...start.feeds.map(() => 'pipe' as const), ...(start.tellsInfo ? ['pipe' as const] : [])]
    this.process = spawn(start.file, start.args, {
      cwd: start.cwd,
      env: start.env,
      // A group and session of its own: what ends us from a terminal is ours to pass on.
      detached: true,
      stdio: [start.stdin, 'pipe', 'pipe', ...extra],
    })
    this.ended = new Promise((resolve, reject) => {
      this.process.once('error', (error) => {
        this.#over()
        reject(error)
      })
      this.process.once('close', (code, signal) => {
        this.#over()
        resolve({ code, signal })
      })
    })
    this.ended.catch(() => {}) // Told to whoever waits.
    for (const [index, bytes] of start.feeds.entries()) feed(this.process.stdio[3 + index], bytes)
    const info = this.process.stdio[3 + start.feeds.length] as Readable | undefined
    if (start.tellsInfo && info) this.#readInfo(info, onFirstProcess)
  }

  /** Ends it and all its processes; `ended` tells when they are gone. */
  kill(): void {
    if (this.#killing || this.#isOver) return
    let kills = 0
    const again = () => {
      kills += 1
      if (this.#first !== undefined) kill(this.#first)
      if (this.#first === undefined || kills > GENTLE_KILLS) kill(-(this.process.pid ?? 0))
    }
    this.#killing = setInterval(again, KILL_AGAIN_MS)
    again()
  }

  #over(): void {
    this.#isOver = true
    clearInterval(this.#killing)
  }

  #readInfo(info: Readable, then: (pid: number) => void): void {
    let text = ''
    info.setEncoding('utf8')
    info.on('error', () => {}) // It ended before it told.
    info.on('data', (piece: string) => {
      text += piece
      const told = Info.safeParse(parsed(text))
      if (!told.success || this.#first !== undefined) return
      this.#first = told.data['child-pid']
      then(this.#first)
    })
  }
}

function feed(stream: Readable | Writable | null | undefined, bytes: Buffer | string): void {
  const writable = stream as Writable
  writable.on('error', () => {}) // It ended before it read: its end says why.
  writable.end(bytes)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // Not all of it is there yet.
  }
}

function kill(pid: number): void {
  if (pid === 0) return // Never started; 0 would be our own group.
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
