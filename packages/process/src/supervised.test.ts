import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'

const fixture = fileURLToPath(new URL('./supervised-child.fixture.ts', import.meta.url))
const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** A ready child, what it has printed, and its end as [exit code, signal]. */
async function start(...args: string[]) {
  const child = fork(fixture, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  children.push(child)
  const ended = once(child, 'exit')
  let printed = ''
  child.stdout?.on('data', (text) => {
    printed += text
  })
  const [ready] = await once(child, 'message')
  const heard = (text: string) => expect.poll(() => printed).toContain(text)
  return { child, ended, ready, heard, printed: () => printed }
}

test('tells that it is ready and answers pings', async () => {
  const { child, ready } = await start()
  expect(ready).toEqual({ type: 'ready', port: 4711 })
  child.send({ type: 'ping', n: 7 })
  expect((await once(child, 'message'))[0]).toEqual({ type: 'pong', n: 7 })
})

test('has something told to people', async () => {
  const { child } = await start()
  child.send('tell')
  expect((await once(child, 'message'))[0]).toEqual({ type: 'notice', text: 'something is odd' })
})

test('a signal and a supervisor that goes drain it once, then it exits with 0', async () => {
  const { child, ended, printed } = await start('20')
  child.kill('SIGTERM')
  child.disconnect()
  expect(await ended).toEqual([0, null])
  await expect.poll(printed).toMatch(/^stopping \w+\nstopped\n$/)
})

test('it ends when its supervisor is gone', async () => {
  const { child, ended, printed } = await start()
  child.disconnect()
  expect(await ended).toEqual([0, null])
  await expect.poll(printed).toContain('stopping orphaned')
})

test('a drain that takes too long is cut off', async () => {
  const { child, ended, printed } = await start('60000', '50')
  child.kill('SIGTERM')
  expect(await ended).toEqual([1, null])
  expect(printed()).not.toContain('stopped')
})

test('a second signal ends it at once', async () => {
  const { child, ended, heard } = await start('60000')
  child.kill('SIGTERM')
  await heard('stopping SIGTERM')
  child.kill('SIGTERM')
  expect(await ended).toEqual([1, null])
})
