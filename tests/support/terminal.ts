import { execFile, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { eventually } from './eventually.ts'

const run = promisify(execFile)

/** Without tmux there is no terminal to look at: tests that need one say so and are left out. */
export const hasTmux = spawnSync('tmux', ['-V']).status === 0
if (!hasTmux) console.warn('tmux is not installed: tests in a terminal are skipped (apt-get install tmux)')

export interface Terminal {
  /** What is on the screen: its lines, without spaces at their ends and blank lines below. */
  screen(): Promise<string>
  /** The same with colours, as escape sequences. */
  coloured(): Promise<string>
  /** Waits until the screen is so, and answers it. */
  until(isSo: (screen: string) => boolean): Promise<string>
  /** Presses keys by tmux's names: `Enter`, `C-c`, `Down`. */
  press(...keys: string[]): Promise<void>
  type(text: string): Promise<void>
  resize(columns: number, rows: number): Promise<void>
}

export interface TerminalOptions {
  env: Record<string, string | undefined>
  columns?: number
  rows?: number
}

/** Runs a shell command in a terminal of its own, a real one: tmux. It ends with the test. After the command the screen says `exit=` and its code. */
export async function openTerminal(
  command: string,
  { env, columns = 80, rows = 24 }: TerminalOptions,
): Promise<Terminal> {
  const socket = `devflow-test-${randomUUID().slice(0, 8)}`
  const tmux = async (...args: string[]) =>
    (await run('tmux', ['-L', socket, '-f', '/dev/null', ...args], { env: { ...env, LANG: 'C.UTF-8' } }))
      .stdout
  onTestFinished(async () => {
    await tmux('kill-server').catch(() => {}) // It may have ended by itself.
  })
  // The shell stays after the command, also after Ctrl-C, so that its last screen can be read.
  const kept = `trap : INT; ${command}; echo "exit=$?"; exec cat`
  const size = ['-x', `${columns}`, '-y', `${rows}`]
  await tmux('-u', 'new-session', '-d', '-s', 'test', ...size, 'sh', '-c', kept)
  const screen = async () =>
    (await tmux('capture-pane', '-p', '-t', 'test')).replace(/[ \t]+$/gm, '').trimEnd()
  return {
    screen,
    coloured: () => tmux('capture-pane', '-p', '-e', '-t', 'test'),
    until: (isSo) => eventually(screen, isSo, { patienceMs: 40_000, pauseMs: 50 }),
    press: async (...keys) => {
      await tmux('send-keys', '-t', 'test', ...keys)
    },
    type: async (text) => {
      await tmux('send-keys', '-l', '-t', 'test', text)
    },
    resize: async (width, height) => {
      await tmux('resize-window', '-t', 'test', '-x', `${width}`, '-y', `${height}`)
    },
  }
}
