import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

const COLUMNS = 200
const ROWS = 60
/** Ended commands stay to be looked at, and what scrolled away stays too. */
const SETTINGS =
  'set -g remain-on-exit on\nset -g history-limit 50000\nset -g status off\nset -g exit-empty off\n'
/** How long a command may take to end when it is told to, before it is killed. */
const GRACE_MS = 300

export interface Look {
  alive: boolean
  exitCode: number | undefined
  screen: string
}

/** One command in a tmux server of its own, so that nothing of anybody else's is ever touched. */
export class Terminal {
  readonly #folder: string
  readonly #env: Readonly<Record<string, string>>
  #pid: number | undefined

  /** `folder`: where the server's socket and settings are kept; short, as a socket's path has to be. */
  constructor(folder: string, env: Readonly<Record<string, string>>) {
    this.#folder = folder
    this.#env = env
  }

  async start(command: readonly string[], cwd: string): Promise<void> {
    await writeFile(join(this.#folder, 'tmux.conf'), SETTINGS)
    const size = ['-x', String(COLUMNS), '-y', String(ROWS)]
    const pid = ['-P', '-F', '#{pane_pid}']
    this.#pid = Number(
      await this.#tmux('new-session', '-d', '-s', 'call', ...size, ...pid, '-c', cwd, '--', ...command),
    )
  }

  async look(): Promise<Look> {
    const said = await this.#tmux(
      'display-message',
      '-p',
      '-t',
      'call',
      '#{pane_dead} #{pane_dead_status}',
      ';',
      'capture-pane',
      '-p',
      '-J',
      '-t',
      'call',
    )
    const line = said.indexOf('\n')
    const [dead, status = ''] = said.slice(0, line).split(' ')
    return {
      alive: dead !== '1',
      exitCode: status === '' ? undefined : Number(status),
      screen: said.slice(line + 1),
    }
  }

  /** The screen with all that scrolled away. */
  history(): Promise<string> {
    return this.#tmux('capture-pane', '-p', '-J', '-S', '-', '-t', 'call')
  }

  /** Types a text in one go, marked as a paste where the command understands that, and sends it. */
  async type(text: string): Promise<void> {
    const file = join(this.#folder, 'prompt')
    await writeFile(file, text)
    await this.#tmux('load-buffer', file, ';', 'paste-buffer', '-p', '-d', '-t', 'call')
    await this.press(['Enter'])
  }

  async press(keys: readonly string[]): Promise<void> {
    await this.#tmux('send-keys', '-t', 'call', ...keys)
  }

  /** Ends the command with all of its process group, then the server. Does nothing where none runs. */
  async end(): Promise<void> {
    if (this.#pid !== undefined && signalGroup(this.#pid, 'SIGTERM')) {
      const until = performance.now() + GRACE_MS
      while (signalGroup(this.#pid, 0) && performance.now() < until)
        await new Promise((resolve) => setTimeout(resolve, 20))
      signalGroup(this.#pid, 'SIGKILL')
    }
    await this.#tmux('kill-server').catch(() => undefined)
  }

  async #tmux(...args: string[]): Promise<string> {
    const socket = ['-S', join(this.#folder, 'tmux'), '-f', join(this.#folder, 'tmux.conf')]
    const { stdout } = await run('tmux', [...socket, '-u', ...args], {
      env: this.#env,
      maxBuffer: 64 * 1024 * 1024,
    })
    return stdout
  }
}

/** Whether there was a group to signal. A pane's command leads a session, and so a group, of its own. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal)
    return true
  } catch {
    return false
  }
}
