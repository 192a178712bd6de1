import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { CLI_MAIN } from '../support/command-line.ts'
import { ownEnv } from '../support/own-env.ts'
import { openTerminal, type Terminal } from '../support/terminal.ts'

export const PROGRAM = `"${process.execPath}" "${CLI_MAIN}"`

export async function newHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'devflow-repl-'))
  onTestFinished(() => rm(home, { recursive: true, force: true, maxRetries: 5 }))
  return home
}

interface Options {
  home?: string
  args?: string
  env?: Record<string, string>
  /** What is run in the terminal instead of the program by itself. */
  shell?: string
}

export const isAsked = (screen: string): boolean => /^devflow>$/m.test(screen.split('\n').at(-1) ?? '')

/** `usual`: the environment where a test says nothing else. */
export function prompts(usual: () => Record<string, string>) {
  const open = async ({ home, args = '', env = usual(), shell }: Options = {}) =>
    openTerminal(shell ?? `${PROGRAM} ${args}`, {
      rows: 120,
      env: { ...ownEnv(), HOME: home ?? (await newHome()), TERM: 'xterm', ...env },
    })
  return {
    open,
    /** Opens the prompt, and waits for it. */
    openPrompt: async (options?: Options): Promise<Terminal> => {
      const terminal = await open(options)
      await terminal.until(isAsked)
      return terminal
    },
  }
}

/** Types a line and waits until the prompt is there again; answers what stands between them. */
export async function say(terminal: Terminal, line: string): Promise<string> {
  await terminal.type(line)
  await terminal.press('Enter')
  const typed = `devflow> ${line}\n`
  const screen = await terminal.until((text) => text.includes(typed) && isAsked(text))
  return screen.slice(screen.lastIndexOf(typed) + typed.length).replace(/\n?devflow>$/, '')
}

export async function leave(terminal: Terminal): Promise<void> {
  await terminal.type('exit')
  await terminal.press('Enter')
  await terminal.until((screen) => screen.endsWith('exit=0'))
}
