import { randomUUIDv7 } from 'node:crypto'
import { expect, test } from 'vitest'
import { runCommand } from '../support/command-line.ts'
import { useCommandStack } from './stack.ts'

const devflow = useCommandStack()

const FOLLOWERS = ['events follow', `runs events ${randomUUIDv7()} --follow`]

test.each(FOLLOWERS)('with nobody at the address %s ends at once: 5', async (command) => {
  const began = performance.now()
  const { code, stdout, stderr } = await runCommand([...command.split(' '), '--url', 'http://127.0.0.1:1'])
  expect([code, stdout]).toEqual([5, ''])
  expect(stderr).toMatch(/UNAVAILABLE unreachable\n.*127\.0\.0\.1:1/)
  expect(performance.now() - began).toBeLessThan(10_000)
})

test('followed over a restart of the API, events go on, and people are told of it', async () => {
  const { id } = await devflow.json<{ id: string }>('run', 'waits@1', '--detach')
  await devflow.stack.untilStatus(id, 'waiting')
  const events = (...options: string[]) => devflow.start(['runs', 'events', id, '--follow', ...options])
  const all = [events(), events('--json'), devflow.start(['events', 'follow', '--after', '0'])] as const
  const [told, json, topics] = all
  await devflow.run('events', 'publish', 'orders', '--id', 'before')
  await Promise.all([told.until('run.waiting'), json.until('run.waiting'), topics.until('before')])
  const startAgain = await devflow.stopApi()
  await Promise.all([told, topics].map((each) => each.until('The connection is lost')))
  await devflow.stack.signal(id, 'go', 'once')
  await devflow.stack.untilStatus(id, 'completed')
  await startAgain()
  expect((await told.ended).code).toBe(0)
  const { code, json: lines } = await json.ended
  expect([code, lines().at(-1)]).toMatchObject([0, { type: 'run.completed' }])
  await devflow.run('events', 'publish', 'orders', '--id', 'after')
  await topics.until('after')
  topics.signal('SIGINT')
  expect((await topics.ended).code).toBe(130)
})
