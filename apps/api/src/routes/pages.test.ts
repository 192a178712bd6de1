import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestApi, testApi } from '../test-api.fixture.ts'

let api: TestApi
beforeAll(async () => {
  api = await testApi({}, afterAll)
})

test('a link to the page of a run leads to the run', async () => {
  const response = await api.request('/runs/01a1fe58-33bd-7cb1-a821-a0bd650b8261?gate=approve')
  expect(response.status).toBe(302)
  expect(response.headers.get('location')).toBe('/v1/runs/01a1fe58-33bd-7cb1-a821-a0bd650b8261')
})
