import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { CLI_MAIN } from '../support/command-line.ts'
import { otherServer } from '../support/other-server.ts'
import { ownEnv } from '../support/own-env.ts'

const RUN = '01a1fe57-4bc8-7211-8f07-f3b7cd9d54d7'

/** Stands in for an API whose one run has a long log. */
const longLog = (length: number) =>
  otherServer((_, response) => {
    const event = { runId: RUN, type: 'turn.completed', at: new Date(0).toISOString(), key: 'k' }
    const data = { text: 'word '.repeat(40) }
    const items = Array.from({ length }, (_, index) => ({ ...event, seq: index + 1, data }))
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ items, nextAfter: length, done: true }))
  })

test('a reader that is slow gets all of it', async () => {
  const url = await longLog(10_000)
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
