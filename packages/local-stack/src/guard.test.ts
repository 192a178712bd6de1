import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { isAlive } from './processes.ts'

const beside = (file: string) => fileURLToPath(new URL(file, import.meta.url))

/** A process whose end the test sees to. */
function start(command: string, args: string[]): ChildProcess & { pid: number } {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  if (child.pid === undefined) throw new Error(`${command} did not start`)
  return Object.assign(child, { pid: child.pid })
}

const gone = (pid: number) => expect.poll(() => isAlive(pid), { timeout: 5_000 }).toBe(false)

test('what a process has started ends with it, also by kill -9', async () => {
  const owner = start(process.execPath, [beside('./guard-owner.fixture.ts')])
  const [line] = await once(owner.stdout ?? owner, 'data')
  const [watched = 0, forgotten = 0] = String(line).split(' ').map(Number)
  onTestFinished(() => void process.kill(forgotten, 'SIGKILL'))
  expect([watched, forgotten].map(isAlive)).toEqual([true, true])
  owner.kill('SIGKILL')
  await gone(watched)
  expect(isAlive(forgotten)).toBe(true)
})

test('one that does not end when asked is killed', async () => {
  const deaf = start('sh', ['-c', 'trap "" TERM; echo ready; while :; do sleep 1; done'])
  await once(deaf.stdout ?? deaf, 'data')
  const guard = start(process.execPath, [beside('./guard-process.ts'), '100'])
  guard.stdin?.end(`watch ${deaf.pid} SIGTERM\n`)
  await gone(deaf.pid)
  await gone(guard.pid)
})
