import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestApi, testApi } from '../test-api.fixture.ts'

let api: TestApi
beforeAll(async () => {
  api = await testApi({}, afterAll)
})

const put = (json: unknown) => api.call('/v1/budgets', { method: 'PUT', json })

test('budgets are replaced as a whole, and read with what was charged to them today', async () => {
  expect((await api.call('/v1/budgets')).body).toEqual({ items: [] })
  const budgets = [
    { scope: 'tenant-day', limitMicroUsd: 1000.5, onExceeded: 'block' },
    { scope: 'persona-day', limitTokens: 500, onExceeded: 'prompt', allowUnpriced: true },
    { scope: 'run', limitMicroUsd: 20, limitTokens: 30, onExceeded: 'warn_continue' },
  ]
  const set = await put(budgets)
  expect([set.status, set.body.items]).toEqual([200, budgets.map((budget) => ({ ...budget, today: [] }))])

  // A run that says nothing has the default, field by field under what it says.
  const { id } = await api.submit({
    template: 'test/echo@1',
    input: { request: 'x' },
    budget: { limitMicroUsd: 7 },
  })
  expect((await api.call(`/v1/runs/${id}`)).body.budget).toEqual({
    limitMicroUsd: 7,
    limitTokens: 30,
    onExceeded: 'warn_continue',
    spentMicroUsd: 0,
    reservedMicroUsd: 0,
    spentTokens: 0,
    reservedTokens: 0,
  })

  expect((await put([])).body).toEqual({ items: [] })
})

describe('refused is', () => {
  const good = { scope: 'day', limitMicroUsd: 1, onExceeded: 'block' }
  test.each([
    [[{ ...good, scope: 'week' }], '[0].scope'],
    [[{ ...good, persona: 'ann' }], '[0].persona'],
    [[{ ...good, limitMicroUsd: '1' }], '[0].limitMicroUsd'],
    [[{ scope: 'day', onExceeded: 'block' }], '[0]'],
    [[{ scope: 'day', limitTokens: 1 }], '[0].onExceeded'],
    [[good, good], '[1]'],
    [{ items: [good] }, ''],
  ])('%j, at %s, and nothing is changed', async (json, path) => {
    await put([good])
    const { status, body } = await put(json)
    expect([status, body.code, body.errors[0].path]).toEqual([400, 'invalid', path])
    expect((await api.call('/v1/budgets')).body.items).toEqual([{ ...good, today: [] }])
  })
})
