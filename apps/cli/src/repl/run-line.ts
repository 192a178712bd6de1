import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url))

/** Those that are sent to this process alone, not by a key to all in the terminal. */
const FOR_ALL = ['SIGTERM', 'SIGHUP'] as const

/**
 * Runs a command line as a process of its own, which has the terminal until it ends: keys, questions, what it draws. Answers
 * false when this process was asked to end meanwhile, which the command was told too.
 */
export async function runLine(args: readonly string[], env: NodeJS.ProcessEnv): Promise<boolean> {
  const child = spawn(process.execPath, [...process.execArgv, MAIN, ...args], { stdio: 'inherit', env })
  let goesOn = true
  const tell = (signal: NodeJS.Signals) => {
    goesOn = false
    child.kill(signal)
  }
  // Ctrl-C reaches both. It is meant for the command.
  const ignore = () => {}
  process.on('SIGINT', ignore)
  for (const signal of FOR_ALL) process.on(signal, tell)
  try {
    await once(child, 'exit')
    return goesOn
  } finally {
    process.off('SIGINT', ignore)
    for (const signal of FOR_ALL) process.off(signal, tell)
  }
}
