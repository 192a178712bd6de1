import type { ModelPrice, PriceSource } from '@devflow/contracts'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../testing.ts'
import { listPrices, readPrices, savePrices } from './index.ts'

let database: TestDatabase
let pool: pg.Pool

beforeAll(async () => {
  database = await testDatabase()
  pool = new pg.Pool({ connectionString: database.url })
  // The end of a pool does not wait for its connections, and dropping the database ends them.
  pool.on('error', () => {})
})
afterAll(async () => {
  await pool.end()
  await database.close()
})

const save = (source: PriceSource, model: string, price: ModelPrice, fetchedAt = new Date()) =>
  savePrices(pool, { source, fetchedAt, prices: [{ provider: 'openrouter', model, price }] })

const priceOf = async (model: string) =>
  (await readPrices(pool, [{ provider: 'openrouter', model }]))[0]?.price

test('prices come back digit by digit, whatever their size', async () => {
  const price = {
    input: '0.000001',
    output: '123456789.000000000001',
    cacheRead: '0.1',
    cacheWrite: '3.75',
    reasoning: '0.0000000000000000001',
    request: '5000',
    tiers: [{ fromInputTokens: 200_000, input: '2.5', output: '15' }],
  }
  await save('list', 'exact/model', price)
  expect(await priceOf('exact/model')).toEqual(price)
})

test('configuration counts before the list, and the list before the seed', async () => {
  await save('seed', 'ranked/model', { input: 1, output: 1 })
  expect(await priceOf('ranked/model')).toMatchObject({ input: '1' })
  await save('list', 'ranked/model', { input: 2, output: 2 })
  expect(await priceOf('ranked/model')).toMatchObject({ input: '2' })
  await save('configuration', 'ranked/model', { input: 3, output: 3 })
  expect(await priceOf('ranked/model')).toMatchObject({ input: '3' })
  await savePrices(pool, {
    source: 'configuration',
    fetchedAt: new Date(),
    prices: [{ provider: 'openai-compatible', model: 'other', price: { input: 1, output: 1 } }],
    forgetOthers: true,
  })
  expect(await priceOf('ranked/model')).toMatchObject({ input: '2' })
})

test('a context window is that of the first source that says one, whoever says the price', async () => {
  const model = 'wide/model'
  const say = (source: PriceSource, contextWindow?: number) =>
    savePrices(pool, {
      source,
      fetchedAt: new Date(),
      prices: [{ provider: 'openrouter', model, price: { input: 1, output: 1 }, contextWindow }],
    })
  const known = async (name = model) =>
    (await readPrices(pool, [{ provider: 'openrouter', model: name }]))[0]?.contextWindow
  await say('configuration')
  expect(await known()).toBeUndefined()
  await say('list', 32_000)
  expect(await known()).toBe(32_000)
  expect(await known('wide/model:nitro')).toBe(32_000)
  const { items } = await listPrices(pool, { model }, { limit: 5 })
  expect(items).toMatchObject([{ source: 'configuration', contextWindow: 32_000 }])
  await say('configuration', 8_000)
  expect(await known()).toBe(8_000)
  await say('list')
  expect(await known()).toBe(8_000)
})

test('older prices never replace newer ones', async () => {
  await save('list', 'aged/model', { input: 2, output: 2 }, new Date('2026-11-02T00:00:00Z'))
  await save('list', 'aged/model', { input: 1, output: 1 }, new Date('2026-11-01T00:00:00Z'))
  expect(await priceOf('aged/model')).toMatchObject({ input: '2' })
})

test('answers in the order asked; routing keeps the price, `:free` costs nothing, and nobody knows the rest', async () => {
  await save('list', 'routed/model', { input: '0.5', output: 1 })
  const sought = ['unknown/model', 'routed/model:nitro', 'any/model:free', 'routed/model']
  const found = await readPrices(
    pool,
    sought.map((model) => ({ provider: 'openrouter', model })),
  )
  expect(found.map((one) => one?.price.input)).toEqual([undefined, '0.5', '0', '0.5'])
})
