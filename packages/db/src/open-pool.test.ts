import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { transaction } from './command/index.ts'
import { openPool, together } from './open-pool.ts'
import { type TestDatabase, testDatabase } from './testing.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.close())

const open = () => {
  const pool = openPool(database.url, { max: 2, application_name: 'devflow-tests' }, () => {})
  onTestFinished(() => pool.end())
  return pool
}

test('a connection that breaks in a transaction fails that, and neither the process nor what comes after', async () => {
  const pool = open()
  const broken = transaction(pool, async (client) => {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    const waiting = client.query('select pg_sleep(60)')
    const cutting = pool.query('select pg_terminate_backend($1)', [rows[0]?.pid])
    await Promise.all([waiting, cutting])
  })
  await expect(broken).rejects.toThrow(/terminat/)
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
})

test('a transaction that sends its commit behind a statement that fails is rolled back', async () => {
  const pool = open()
  await pool.query('create table public.kept (n int primary key)')
  const add = (...numbers: number[]) =>
    transaction(pool, async (client, commit) => {
      const adding = numbers.map((n) => client.query('insert into public.kept values ($1)', [n]))
      commit()
      await Promise.all(adding)
    })
  await add(1, 2)
  await expect(add(3, 1, 4)).rejects.toThrow(/duplicate key/)
  expect((await pool.query('select n from public.kept order by n')).rows).toEqual([{ n: 1 }, { n: 2 }])
})

test('where a transaction cannot even begin, what went out with it stands alone and nothing follows', async () => {
  const pool = open()
  await pool.query('create table public.alone (n int)')
  const connect = pool.connect.bind(pool)
  vi.spyOn(pool, 'connect').mockImplementationOnce(async () => {
    const client = await connect()
    const query = client.query.bind(client)
    client.query = ((what: string) => query(what === 'begin' ? 'begin what' : what)) as typeof query
    return client
  })
  const begun = transaction(pool, async (client) => {
    await client.query('insert into public.alone values (1)')
    await client.query('insert into public.alone values (2)')
  })
  await expect(begun).rejects.toThrow(/syntax error/)
  expect((await pool.query('select n from public.alone')).rows).toEqual([{ n: 1 }])
})

test('queries sent together are answered in order, and each sees what those before it committed', async () => {
  const pool = open()
  await pool.query('create table public.counted (n int)')
  const count = { text: 'select count(*)::int as n from public.counted' }
  const [before, , , after] = await together(pool, (db) =>
    Promise.all([
      db.query<{ n: number }>(count),
      db.query({ text: 'insert into public.counted values (1)' }),
      db.query({ text: 'insert into public.counted values (2)' }),
      db.query<{ n: number }>(count),
    ]),
  )
  expect([before.rows, after.rows]).toEqual([[{ n: 0 }], [{ n: 2 }]])
})
