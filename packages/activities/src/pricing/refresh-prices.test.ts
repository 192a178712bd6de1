import { listPrices, readPriceLists, readPrices, requestPriceRefresh } from '@devflow/db'
import { type TestDatabase, testDatabase } from '@devflow/db/testing'
import { type FakeOpenRouter, startFakeOpenRouter } from '@devflow/testing'
import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Log } from '../deps.ts'
import { refreshPrices } from './refresh-prices.ts'

let database: TestDatabase
let pool: pg.Pool
let fake: FakeOpenRouter
let warned: string[]

beforeEach(async () => {
  database = await testDatabase()
  pool = new pg.Pool({ connectionString: database.url })
  // The end of a pool does not wait for its connections, and dropping the database ends them.
  pool.on('error', () => {})
  fake = await startFakeOpenRouter()
  warned = []
})
afterEach(async () => {
  await pool.end()
  await fake.close()
  await database.close()
})

const log = (): Log => ({
  debug: () => {},
  info: () => {},
  warn: (_, message) => warned.push(message),
  error: () => {},
})

const refresh = async (timeoutMs?: number) => {
  await requestPriceRefresh(pool, 'openrouter')
  return await refreshPrices({ pool, log: log(), baseURL: fake.baseURL, timeoutMs }, undefined)
}

const priceOf = async (model: string) => (await readPrices(pool, [{ provider: 'openrouter', model }]))[0]

const listed = (...data: unknown[]) => fake.listModels({ body: JSON.stringify({ data }) })

const entry = (id: unknown, prompt: unknown, completion: unknown, more: object = {}) => ({
  id,
  pricing: { prompt, completion, ...more },
})

test('prices are read digit by digit: powers of ten, cache, reasoning, a fee, tiers', async () => {
  listed(
    entry('exact/tiny', '1e-12', '0.000000000000123456789', {
      request: '0.005',
      input_cache_read: '7.5e-8',
      input_cache_write: '0.00000375',
      internal_reasoning: '0.000002',
    }),
    entry('exact/tiered', '0.00000125', '0.00001', {
      internal_reasoning: '0',
      overrides: [
        { min_prompt_tokens: 200_000, prompt: '0.0000025', completion: '0.000015' },
        { utc_start: '16:00', utc_end: '23:00', prompt: '0.0000001' },
      ],
    }),
  )
  expect(await refresh()).toEqual({ models: 2, leftOut: {} })
  expect((await priceOf('exact/tiny'))?.price).toEqual({
    input: '0.000001',
    output: '0.000000123456789',
    request: '5000',
    cacheRead: '0.075',
    cacheWrite: '3.75',
    reasoning: '2',
  })
  expect((await priceOf('exact/tiered'))?.price).toEqual({
    input: '1.25',
    output: '10',
    tiers: [{ fromInputTokens: 200_000, input: '2.5', output: '15' }],
  })
})

test('what is not usable is left out and counted; the rest is taken', async () => {
  listed(
    entry('good/model', '0.000001', '0.000002'),
    entry('free/model', '0', '0'),
    entry('openrouter/auto', '-1', '-1'),
    entry('negative/model', '-0.5', '1e-6'),
    entry('missing/model', undefined, '1e-6'),
    entry('null/model', null, null),
    entry('empty/model', '', ''),
    { id: 'priceless/model' },
    { id: 'null/pricing', pricing: null },
    entry('garbage/model', 'cheap', '1e-6'),
    entry('infinite/model', 'Infinity', 'NaN'),
    entry('hex/model', '0x10', '1e-6'),
    entry('huge/exponent', '1e999999999', '1e-6'),
    entry('small/exponent', '1e-999999999', '1e-6'),
    entry('smaller/than-money', '1e-90', '1e-6'),
    entry('dear/model', '1.5', '1e-6'),
    entry(42, '1e-6', '1e-6'),
    entry('', '1e-6', '1e-6'),
    entry('nul\u0000/model', '1e-6', '1e-6'),
    entry('x'.repeat(201), '1e-6', '1e-6'),
    'a string',
    null,
    [entry('nested/model', '1e-6', '1e-6')],
    entry('twice/model', '1e-6', '3e-6'),
    entry('twice/model', '2e-6', '1e-6', { request: '0.001' }),
    { ...entry('long/model', '1e-6', '1e-6'), description: 'x'.repeat(300_000) },
    { ...entry('tricky/model', '4e-6', '1e-6'), description: 'a "}],{[" b \\ "data":[' },
  )
  expect(await refresh()).toEqual({
    models: 4,
    leftOut: {
      price_depends: 1,
      not_a_price: 7,
      no_price: 5,
      too_dear: 1,
      bad_name: 4,
      unreadable: 3,
      named_twice: 1,
      too_long: 1,
    },
  })
  expect(warned.join()).toContain('no_price 5')
  expect((await priceOf('free/model'))?.price).toEqual({ input: '0', output: '0' })
  expect((await priceOf('twice/model'))?.price).toEqual({ input: '2', output: '3', request: '1000' })
  expect((await priceOf('tricky/model'))?.price.input).toBe('4')
  expect(await priceOf('openrouter/auto')).toBeUndefined()
})

test('a context window is taken where it can be used, and the price in any case', async () => {
  const wide = (id: string, said: object) => ({ ...entry(id, '1e-6', '1e-6'), ...said })
  listed(
    wide('its/own', { context_length: 131_072 }),
    wide('first-provider/less', { context_length: 131_072, top_provider: { context_length: 32_000 } }),
    wide('first-provider/alone', { context_length: null, top_provider: { context_length: 32_000 } }),
    wide('no/use', { context_length: 'wide', top_provider: { context_length: 0 } }),
    wide('no/provider', { context_length: -1, top_provider: null }),
    wide('named/twice', { context_length: 64_000 }),
    wide('named/twice', { context_length: 48_000 }),
  )
  expect(await refresh()).toEqual({ models: 6, leftOut: { named_twice: 1 } })
  const { items } = await listPrices(pool, { provider: 'openrouter' }, { limit: 100 })
  const windows = items
    .filter(({ source }) => source === 'list')
    .map(({ model, contextWindow }) => [model, contextWindow])
  expect(Object.fromEntries(windows)).toEqual({
    'its/own': 131_072,
    'first-provider/less': 32_000,
    'first-provider/alone': 32_000,
    'no/use': undefined,
    'no/provider': undefined,
    'named/twice': 48_000,
  })
})

test.each([
  ['an error', { status: 500, body: 'oops' }],
  ['a page', { body: '<html>Moved</html>' }],
  ['no list', { body: '{"models": []}' }],
  ['an empty list', { body: '{"data": []}' }],
  ['a list of another thing', { body: '{"data": {"data": [1]}}' }],
  [
    'half a list',
    { body: '{"data": [{"id": "gone/model", "pricing": {"prompt": "1e-6", "completion": "1e-6"}},' },
  ],
  ['nothing but garbage', { body: '{"data": [1, [[[[, }{, "' }],
])('%s changes no price, and is told', async (_, answer) => {
  listed(entry('known/model', '1e-6', '1e-6'))
  await refresh()
  fake.listModels(answer)
  expect(await refresh()).toMatchObject({ error: expect.any(String) })
  expect((await priceOf('known/model'))?.price.input).toBe('1')
  expect(await priceOf('gone/model')).toBeUndefined()
  expect(warned.join()).toContain('prices were not refreshed')
  expect(await readPriceLists(pool)).toMatchObject([{ failures: 1, models: 1, error: expect.any(String) }])
})

test('a model that a list has lost keeps its last price', async () => {
  listed(entry('known/model', '1e-6', '1e-6'))
  await refresh()
  listed(entry('other/model', '2e-6', '2e-6'))
  await refresh()
  expect((await priceOf('known/model'))?.price.input).toBe('1')
})

test('a list that never ends is given up in time', async () => {
  function* endless(): Generator<string> {
    yield '{"data": ['
    for (;;) yield `[${'1,'.repeat(10_000)}1],`
  }
  fake.listModels({ body: endless() })
  expect(await refresh(300)).toMatchObject({ error: expect.any(String) })
})

test('a million models cost little: so many are taken, and the rest is not read', async () => {
  let written = 0
  function* million(): Generator<string> {
    yield '{"data": ['
    for (; written < 1_000_000; written += 100)
      yield `${Array.from({ length: 100 }, (_, n) => JSON.stringify(entry(`m/${written + n}`, '1e-7', '2e-7'))).join(',')},`
    yield '0]}'
  }
  fake.listModels({ body: million() })
  const before = process.memoryUsage().rss
  expect(await refresh()).toEqual({ models: 50_000, leftOut: { beyond_the_bound: 1 } })
  expect(written).toBeLessThan(200_000)
  expect(process.memoryUsage().rss - before).toBeLessThan(300 * 2 ** 20)
  expect((await priceOf('m/49999'))?.price).toEqual({ input: '0.1', output: '0.2' })
})

test('of many processes one reads the list, by the clock and by hand', async () => {
  const pools = Array.from({ length: 4 }, () => new pg.Pool({ connectionString: database.url, max: 3 }))
  for (const one of pools) one.on('error', () => {})
  try {
    const all = (everyMs: number | undefined) =>
      Promise.all(
        pools.map((one) => refreshPrices({ pool: one, log: log(), baseURL: fake.baseURL }, everyMs)),
      )
    expect((await all(undefined)).filter(Boolean)).toHaveLength(0)
    expect((await all(3_600_000)).filter(Boolean)).toHaveLength(1)
    expect((await all(3_600_000)).filter(Boolean)).toHaveLength(0)
    await requestPriceRefresh(pool, 'openrouter')
    expect((await all(undefined)).filter(Boolean)).toHaveLength(1)
    expect(fake.listings).toBe(2)
    expect(await readPriceLists(pool)).toMatchObject([{ isAwaited: false, failures: 0 }])
  } finally {
    await Promise.all(pools.map((one) => one.end()))
  }
})
