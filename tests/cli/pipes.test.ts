import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { CLI_MAIN } from '../support/command-line.ts'
import { otherServer } from '../support/other-server.ts'
import { ownEnv } from '../support/own-env.ts'
import { runInShell } from '../support/shell-line.ts'

const RUN = '01a1fe57-4bc8-7211-8f07-f3b7cd9d54d7'
const eventOf = (seq: number, text = '') => {
  const event = { runId: RUN, seq, type: 'turn.completed', at: new Date(0).toISOString(), key: `k${seq}` }
  return { ...event, topic: 'orders', id: `id-${seq}`, data: { text } }
}

/** Stands in for an API whose one run has so many events, and then is waiting. */
const apiWith = (count: number, onRequest: (method: string) => void = () => {}) => {
  const events = Array.from({ length: count }, (_, index) => eventOf(index + 1, 'word '.repeat(40)))
  const answer: RequestListener = ({ method = '', headers }, response) => {
    onRequest(method)
    if (headers.accept !== 'text/event-stream') {
      const page = { id: RUN, status: 'waiting', items: events, nextAfter: count, done: true }
      response.setHeader('content-type', 'application/json').end(JSON.stringify(page))
      return
    }
    response.setHeader('content-type', 'text/event-stream')
    response.write(events.map((event) => `id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`).join(''))
  }
  return otherServer(answer)
}

test('a reader that is slow gets all of it', async () => {
  const url = await apiWith(10_000)
  const args = [CLI_MAIN, 'runs', 'events', RUN, '--json', '--url', url]
  const child = spawn(process.execPath, args, { env: ownEnv(), stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  let lines = 0
  for await (const chunk of child.stdout) {
    lines += String(chunk).split('\n').length - 1
    await sleep(5)
  }
  expect([lines, (await ended)[0]]).toEqual([10_000, 0])
})

/** What is to be read of three events, after which nothing more comes. */
test.each(['head -1', 'sed 3q'])('one who follows leaves quietly when `| %s` has left', async (reader) => {
  const methods = new Set<string>()
  const url = await apiWith(3, (method) => methods.add(method))
  for (const command of [
    `runs events ${RUN} --follow`,
    `runs events ${RUN} --follow --json`,
    'events follow',
  ]) {
    const line = `devflow ${command} | ${reader}; exit \${PIPESTATUS[0]}`
    const { code, stdout, stderr } = await runInShell(line, { DEVFLOW_URL: url })
    expect([command, code, stderr]).toEqual([command, 141, ''])
    expect(stdout).toMatch(/^.*turn\.completed|orders/)
  }
  expect([...methods]).toEqual(['GET'])
})

test('so does help', async () => {
  expect(await runInShell(`devflow --help | true; exit \${PIPESTATUS[0]}`)).toMatchObject({
    code: 141,
    stderr: '',
  })
})

test.each(['runs list', '--help'])('what cannot be written is an error: %s', async (command) => {
  const { code, stderr } = await runInShell(`devflow ${command} > /dev/full`, {
    DEVFLOW_URL: await apiWith(0),
  })
  expect(code).toBe(1)
  expect(stderr).toMatch(/UNAVAILABLE output_failed\n {2}the output cannot be written: .*ENOSPC/)
})

test('where stderr cannot be written the exit code still says what was', async () => {
  const env = { DEVFLOW_URL: 'http://127.0.0.1:1' }
  expect(await runInShell('devflow runs list 2> /dev/full', env)).toMatchObject({ code: 5 })
})
