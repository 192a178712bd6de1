import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { z } from 'zod'
import { Endpoints } from '../up/endpoints.ts'

const Ready = Endpoints.extend({ event: z.literal('ready'), console: z.string() })
export type Ready = z.infer<typeof Ready>

export interface Up {
  readonly process: ChildProcess
  /** All lines so far, parsed. */
  readonly lines: Record<string, unknown>[]
  /** The next ready line that was not handed out yet. Rejects with all that was printed when `up` ends before. */
  ready(): Promise<Ready>
  /** The exit code, or the signal's name. */
  readonly ended: Promise<number | string>
  stderr(): string
}

/** A data folder that goes with the test. */
export function dataFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'devflow-up-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}

/** Starts `devflow up --json` with stand-ins for API and worker. It ends with the test. */
export function startUp(args: string[], env: NodeJS.ProcessEnv = {}): Up {
  const script = fileURLToPath(new URL('./up.fixture.ts', import.meta.url))
  const child = spawn(process.execPath, [script, 'up', '--json', '--no-sample', ...args], {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      // Keys that the developer has kept are none of ours.
      XDG_CONFIG_HOME: '/dev/null',
      DEVFLOW_KEYRING: 'off',
      DEVFLOW_CACHE: process.env.DEVFLOW_CACHE,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      // Other tests want the processors all the time.
      DEVFLOW_NICE: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', (text) => {
    stderr += text
  })
  const lines: Record<string, unknown>[] = []
  const waiting: (() => void)[] = []
  let handedOut = 0
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(JSON.parse(line))
    for (const wake of waiting.splice(0)) wake()
  })
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal)
  let isOver = false
  ended.then(() => {
    isOver = true
    for (const wake of waiting.splice(0)) wake()
  })
  onTestFinished(async () => {
    child.kill('SIGTERM')
    await ended
  })
  return {
    process: child,
    lines,
    ended,
    stderr: () => stderr,
    ready: async () => {
      for (;;) {
        const next = lines.filter((line) => line.event === 'ready')[handedOut]
        if (next !== undefined) {
          handedOut++
          return Ready.parse(next)
        }
        if (isOver) throw new Error(`up has ended: ${stderr}\n${JSON.stringify(lines)}`)
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
    },
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

export const allPids = ({ pids }: Ready): number[] =>
  [pids.api, ...pids.workers, pids.temporal, pids.postgres].filter((pid) => pid !== undefined)
