import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import { CLI_MAIN } from './command-line.ts'
import { ownEnv } from './own-env.ts'

/** Runs a line in bash, in which `devflow` is the real command line. What is left of it ends with the test. */
export async function runInShell(
  line: string,
  env: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const script = `devflow() { "${process.execPath}" "${CLI_MAIN}" "$@"; }; ${line}`
  const shell = spawn('bash', ['--norc', '-c', script], {
    // A process group of its own, so that a command that hangs can be ended together with its shell.
    detached: true,
    env: { ...ownEnv(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { stdout: '', stderr: '' }
  shell.stdout.on('data', (text) => {
    said.stdout += text
  })
  shell.stderr.on('data', (text) => {
    said.stderr += text
  })
  let isOver = false
  onTestFinished(() => {
    if (!isOver && shell.pid !== undefined) process.kill(-shell.pid, 'SIGKILL')
  })
  const [code] = await once(shell, 'close')
  isOver = true
  return { code, ...said }
}
