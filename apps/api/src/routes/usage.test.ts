import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { COMPLETED, type Line, STARTED, type TestApi, testApi } from '../test-api.fixture.ts'

let api: TestApi
let first: string
let second: string

const call = (turn: number, cost: unknown, persona = 'writer@1'): Line[] => {
  const at = { phase: 'pause', attempt: 1, turn }
  const model = { persona, provider: 'openrouter', model: 'deepseek/deepseek-chat' }
  const key = `pause/1/${turn}/call-1`
  const reserved = { call: 1, ...model, reservedMicroUsd: 100.5, reservedTokens: 90 }
  const line: Line = { type: 'call.reserved', key: `${key}/reserved`, ...at, data: reserved }
  if (cost === undefined) return [line]
  const data = {
    ...{ call: 1, status: 'settled', costMicroUsd: cost, costSource: 'provider' },
    ...{ inputTokens: 30, outputTokens: 7, cachedTokens: 4, reasoningTokens: 2 },
  }
  return [line, { type: 'call.settled', key: `${key}/end`, ...at, data }]
}

beforeAll(async () => {
  api = await testApi({}, afterAll)
  first = (await api.submit({ labels: { team: 'web' } })).id
  await api.append(first, ...STARTED, ...call(1, 4.51), ...call(2, 0.3), ...call(3, undefined))
  second = (await api.submit({ labels: { team: '=1+1' } })).id
  await api.append(second, ...STARTED, ...call(1, 0.000001, '@sum(a1)'))
})

const today = () => new Date().toISOString().slice(0, 10)
const usage = async (query: string) => (await api.call(`/v1/usage?${query}`)).body

describe('usage', () => {
  const all = {
    calls: 4,
    inputTokens: 90,
    outputTokens: 21,
    cachedTokens: 12,
    reasoningTokens: 6,
    costMicroUsd: 4.810001,
    unsettledMicroUsd: 100.5,
  }
  const ofFirst = {
    ...{ calls: 3, inputTokens: 60, outputTokens: 14, cachedTokens: 8, reasoningTokens: 4 },
    ...{ costMicroUsd: 4.81, unsettledMicroUsd: 100.5 },
  }
  const ofSecond = {
    ...{ calls: 1, inputTokens: 30, outputTokens: 7, cachedTokens: 4, reasoningTokens: 2 },
    ...{ costMicroUsd: 0.000001, unsettledMicroUsd: 0 },
  }

  test.each<[query: string, items: () => object[]]>([
    ['by=model', () => [{ key: 'deepseek/deepseek-chat', provider: 'openrouter', ...all }]],
    [
      'by=persona',
      () => [
        { key: '@sum(a1)', ...ofSecond },
        { key: 'writer@1', ...ofFirst },
      ],
    ],
    ['by=day', () => [{ key: today(), ...all }]],
    ['by=template', () => [{ key: 'test/echo@1', ...all }]],
    [
      'by=run',
      () => [
        { key: second, template: 'test/echo@1', ...ofSecond },
        { key: first, template: 'test/echo@1', ...ofFirst },
      ],
    ],
    [
      'by=label&label=team',
      () => [
        { key: '=1+1', ...ofSecond },
        { key: 'web', ...ofFirst },
      ],
    ],
    ['by=label&label=other', () => [all]],
  ])('%s', async (query, items) => {
    expect(await usage(query)).toEqual({ items: items() })
  })

  test('agrees with what the run says of itself', async () => {
    const { body } = await api.call(`/v1/runs/${first}`)
    expect((await usage('by=run')).items[1]).toMatchObject(body.usage)
  })

  test('a day counts whole, a time to the instant', async () => {
    const day = today()
    const after = `${new Date(Date.now() + 60_000).toISOString()}`
    expect((await usage(`by=day&from=${day}&to=${day}`)).items).toHaveLength(1)
    expect((await usage('by=day&from=2020-01-01&to=2020-12-31')).items).toEqual([])
    expect((await usage(`by=day&from=${after}`)).items).toEqual([])
    expect((await usage(`by=day&to=${after}`)).items).toHaveLength(1)
  })

  test('goes on page by page', async () => {
    const { items, nextCursor } = await usage('by=run&limit=1')
    expect(items).toMatchObject([{ key: second }])
    expect(await usage(`by=run&limit=1&cursor=${nextCursor}`)).toEqual({
      items: [expect.objectContaining({ key: first })],
    })
  })

  test.each([
    ['', 'by'],
    ['by=week', 'by'],
    ['by=label', 'label'],
    ['by=day&label=team', 'label'],
    ['by=day&from=yesterday', 'from'],
    ['by=day&to=2026-02-30', 'to'],
    ['by=day&from=2026-02-02&to=2026-02-01', 'to'],
    ['by=day&limit=0', 'limit'],
    ['by=day&colour=red', 'colour'],
  ])('refuses %j at %s', async (query, path) => {
    const refused = await api.call(`/v1/usage?${query}`)
    expect(refused).toMatchObject({ status: 400, body: { code: 'invalid', errors: [{ path }] } })
  })

  test('writes a sum digit by digit where a double would not carry it', async () => {
    const run = (await api.submit({ labels: { big: 'yes' } })).id
    const raw = (text: string) => (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text)
    await api.append(run, ...call(1, raw('999999999999999.999999')), ...call(2, raw('0.000002')))
    const response = await api.request('/v1/usage?by=label&label=big')
    expect(await response.text()).toContain('"costMicroUsd":1000000000000000.000001')
    await api.append(run, COMPLETED)
    expect((await api.call(`/v1/runs/${run}`, { method: 'DELETE' })).status).toBe(204)
    const after = await api.request('/v1/usage?by=run&limit=1')
    expect(await after.text()).toMatch(
      new RegExp(`"key":"${run}".*"deleted":true.*"costMicroUsd":1000000000000000.000001`),
    )
  })
})

describe('as CSV', () => {
  const csv = async (path: string) => {
    const response = await api.request(path, { headers: { accept: 'text/csv' } })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch(/^text\/csv; charset=utf-8/)
    return (await response.text()).split('\r\n')
  }

  test('usage comes whole, and no text can become a formula of a spreadsheet', async () => {
    const [head, ...lines] = await csv('/v1/usage?by=persona&limit=1')
    expect(head).toBe(
      'key,provider,template,deleted,calls,inputTokens,outputTokens,cachedTokens,reasoningTokens,costMicroUsd,unsettledMicroUsd',
    )
    expect(lines[0]).toBe("'@sum(a1),,,,1,30,7,4,2,0.000001,0")
    expect(lines[1]).toMatch(/^writer@1,,,,\d+,/)
    expect(lines.at(-1)).toBe('')
    const [, formula] = await csv('/v1/usage?by=label&label=team&to=2999-12-31')
    expect([formula, (await csv('/v1/usage?by=label&label=team'))[2]].join()).toContain("'=1+1")
  })

  test('the calls of a run too', async () => {
    const [head, ...lines] = await csv(`/v1/runs/${first}/calls`)
    const rows = lines.slice(0, -1).map((line) => line.split(','))
    const column = (name: string) => rows.map((row) => row[head?.split(',').indexOf(name) ?? -1])
    expect(column('id')).toEqual(['pause/1/1/call-1', 'pause/1/2/call-1', 'pause/1/3/call-1'])
    expect(column('status')).toEqual(['settled', 'settled', 'reserved'])
    expect(column('costMicroUsd')).toEqual(['4.51', '0.3', ''])
    expect(column('reservedMicroUsd')).toEqual(['100.5', '100.5', '100.5'])
  })

  test('what is wrong is a problem, as ever', async () => {
    const response = await api.request('/v1/usage?by=week', { headers: { accept: 'text/csv' } })
    expect(response.status).toBe(400)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
  })
})
