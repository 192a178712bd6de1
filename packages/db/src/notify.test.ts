import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { Listener, type ListenerOptions } from './listener.ts'
import { Poker } from './poker.ts'
import { type TestDatabase, testDatabase } from './testing.ts'

let database: TestDatabase
let pool: pg.Pool
beforeAll(async () => {
  database = await testDatabase()
  pool = new pg.Pool({ connectionString: database.url, max: 2 })
})
afterAll(async () => {
  await pool.end()
  await database.close()
})

function listen(options: ListenerOptions = {}) {
  const listener = new Listener(database.url, options)
  onTestFinished(() => listener.close())
  return listener
}

function poke() {
  const poker = new Poker(database.url)
  onTestFinished(() => poker.close())
  return poker
}

const cut = () =>
  pool.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'devflow-listener'",
  )

test('pokes reach who subscribed to the channel, and those that say the same come once', async () => {
  const listener = listen()
  const heard: string[] = []
  const others: string[] = []
  const forget = listener.subscribe('one', { notified: (payload) => heard.push(payload) })
  listener.subscribe('two', { notified: (payload) => others.push(payload) })
  await expect.poll(() => listener.listening).toBe(true)
  const poker = poke()
  for (let n = 0; n < 100; n++) poker.poke('one', String(n % 2))
  poker.poke('two')
  await expect.poll(() => [heard, others]).toEqual([['0', '1'], ['']])
  forget()
  poker.poke('one', 'late')
  poker.poke('two', 'late')
  await expect.poll(() => others).toContain('late')
  expect(heard).toEqual(['0', '1'])
})

test('who subscribes while it listens is told to look once the channel is listened to', async () => {
  const listener = listen()
  listener.subscribe('first', { notified: () => {} })
  await expect.poll(() => listener.listening).toBe(true)
  let looks = 0
  const heard: string[] = []
  listener.subscribe('later', { notified: (payload) => heard.push(payload), lookAgain: () => looks++ })
  await expect.poll(() => looks).toBe(1)
  poke().poke('later', 'x')
  await expect.poll(() => heard).toEqual(['x'])
})

test('a lost connection is made again, and all are told to look for what they missed', async () => {
  const problems: unknown[] = []
  const listener = listen({ onProblem: (error) => problems.push(error) })
  let looks = 0
  const heard: string[] = []
  listener.subscribe('one', { notified: (payload) => heard.push(payload), lookAgain: () => looks++ })
  await expect.poll(() => looks).toBe(1)
  await cut()
  await expect.poll(() => looks).toBe(2)
  expect(problems.length).toBeGreaterThan(0)
  poke().poke('one', 'again')
  await expect.poll(() => heard).toEqual(['again'])
})

test('who follows runs is known as long as somebody does, also after a lost connection, and is forgotten with its process', async () => {
  const isFollowed = async () => (await pool.query('select devflow.is_followed() as is')).rows[0]?.is
  const problems: unknown[] = []
  const [one, other] = [listen({ onProblem: (error) => problems.push(error) }), listen()]
  let looks = 0
  one.subscribe('one', { notified: () => {}, lookAgain: () => looks++ })
  const leave = one.follow()
  await expect.poll(isFollowed).toBe(true)
  other.follow()()
  other.follow()
  await cut()
  await expect.poll(() => looks).toBe(2)
  await expect.poll(isFollowed).toBe(true)
  leave()
  leave()
  expect(await isFollowed()).toBe(true)
  await other.close()
  await expect.poll(isFollowed).toBe(false)
})

test('what a subscriber throws is told, and others are told all the same', async () => {
  const problems: unknown[] = []
  const listener = listen({ onProblem: (error) => problems.push(error) })
  const heard: string[] = []
  listener.subscribe('one', {
    notified: () => {
      throw new Error('mine')
    },
  })
  listener.subscribe('one', { notified: (payload) => heard.push(payload) })
  await expect.poll(() => listener.listening).toBe(true)
  poke().poke('one', 'x')
  await expect.poll(() => heard).toEqual(['x'])
  expect(problems).toEqual([expect.objectContaining({ message: 'mine' })])
})

test('with Postgres away both go on trying or drop, never throw, and close at once', async () => {
  const nowhere = 'postgres://nobody@127.0.0.1:1/none'
  const problems: unknown[] = []
  const onProblem = (error: unknown) => problems.push(error)
  const listener = new Listener(nowhere, { onProblem })
  const poker = new Poker(nowhere, { onProblem })
  poker.poke('one')
  await expect.poll(() => problems.length).toBeGreaterThan(1)
  await Promise.all([listener.close(), poker.close()])
})
