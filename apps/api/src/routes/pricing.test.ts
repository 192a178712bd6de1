import { savePrices, whenPriceListIsDue } from '@devflow/db'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestApi, testApi } from '../test-api.fixture.ts'

let api: TestApi

beforeAll(async () => {
  api = await testApi({}, afterAll)
})

const NOW = { everyMs: undefined, retryMs: 1_000 }

const prices = async (query: string) => (await api.call(`/v1/pricing?${query}`)).body

test('prices are shown in force, digit by digit, with their age', async () => {
  await savePrices(api.deps.pool, {
    source: 'list',
    fetchedAt: new Date(Date.now() - 7_200_500),
    prices: [
      {
        provider: 'openrouter',
        model: 'openai/gpt-4o-mini',
        price: {
          input: '0.1500000000000000001',
          output: '0.000000000001',
          tiers: [{ fromInputTokens: 9, input: '1', output: '2' }],
        },
      },
    ],
  })
  const text = await (await api.request('/v1/pricing?provider=openrouter&model=GPT-4O')).text()
  expect(text).toContain('"price":{"input":0.1500000000000000001,"output":0.000000000001,')
  expect(JSON.parse(text).items).toMatchObject([
    {
      model: 'openai/gpt-4o-mini',
      source: 'list',
      ageSeconds: 7200,
      price: { tiers: [{ fromInputTokens: 9, input: 1, output: 2 }] },
    },
  ])
  expect((await prices('provider=openai&limit=1')).items).toMatchObject([{ source: 'seed' }])
})

test('prices come page by page, each model once', async () => {
  const seen: string[] = []
  let cursor = ''
  do {
    const page = await prices(`limit=7${cursor === '' ? '' : `&cursor=${cursor}`}`)
    seen.push(...page.items.map(({ provider, model }: Record<string, string>) => `${provider} ${model}`))
    cursor = page.nextCursor ?? ''
  } while (cursor !== '')
  expect(seen.length).toBeGreaterThan(20)
  expect(new Set(seen).size).toBe(seen.length)
})

test('a refresh that no worker has taken up is accepted, and kept', async () => {
  const { status, body } = await api.call('/v1/pricing/refresh', {
    method: 'POST',
    headers: { prefer: 'wait=0' },
  })
  expect(status).toBe(202)
  expect(body).toMatchObject({ provider: 'openrouter', requestedAt: expect.any(String) })
  const outcome = { models: 3, leftOut: { no_price: 2 } }
  expect(await whenPriceListIsDue(api.deps.pool, 'openrouter', NOW, async () => outcome)).toBe(outcome)
  expect((await prices('limit=1')).lists).toMatchObject([
    { ageSeconds: 0, models: 3, leftOut: { no_price: 2 } },
  ])
})

test('a refresh answers when the list was read, and says when it could not be', async () => {
  const asked = api.call('/v1/pricing/refresh', { method: 'POST', headers: { prefer: 'wait=20' } })
  await expect
    .poll(() => whenPriceListIsDue(api.deps.pool, 'openrouter', NOW, async () => ({ error: 'it is a page' })))
    .toBeDefined()
  const { status, body } = await asked
  expect(status).toBe(200)
  expect(body).toMatchObject({ error: 'it is a page', models: 3 })
})
