import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { ownEnv } from './own-env.ts'

export const CLI_MAIN = fileURLToPath(new URL('../../apps/cli/src/main.ts', import.meta.url))

export interface Ended {
  code: number | string
  stdout: string
  stderr: string
  /** The JSON documents on stdout, one a line. */
  json(): Record<string, unknown>[]
}

export interface CommandLine {
  /** What has come on stdout so far. */
  printed(): string
  /** Waits until stdout has this. Rejects with all that came when the command ends before. */
  until(text: string): Promise<void>
  signal(signal: NodeJS.Signals): void
  readonly ended: Promise<Ended>
}

export interface CommandOptions {
  env?: Record<string, string>
  cwd?: string
  stdin?: string
}

/** Starts the real command line as a process of its own, without a terminal. */
export function startCommand(args: readonly string[], { env, cwd, stdin }: CommandOptions = {}): CommandLine {
  const child = spawn(process.execPath, [CLI_MAIN, ...args], {
    env: { ...ownEnv(), ...env },
    ...(cwd === undefined ? {} : { cwd }),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.end(stdin ?? '')
  let stdout = ''
  let stderr = ''
  const waiting = new Set<() => void>()
  const wake = () => {
    for (const look of [...waiting]) look()
  }
  child.stdout.on('data', (text) => {
    stdout += text
    wake()
  })
  child.stderr.on('data', (text) => {
    stderr += text
  })
  let isOver = false
  const ended = once(child, 'close').then(([code, signal]): Ended => {
    isOver = true
    wake()
    const json = () =>
      stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
    return { code: code ?? signal, stdout, stderr, json }
  })
  return {
    printed: () => stdout,
    ended,
    signal: (signal) => child.kill(signal),
    until: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const isThere = stdout.includes(text)
          if (!isThere && !isOver) return
          waiting.delete(look)
          if (isThere) resolve()
          else reject(new Error(`the command ended without «${text}»:\n${stdout}\n${stderr}`))
        }
        waiting.add(look)
        look()
      }),
  }
}

/** Runs a command to its end. */
export const runCommand = (args: readonly string[], options?: CommandOptions): Promise<Ended> =>
  startCommand(args, options).ended
