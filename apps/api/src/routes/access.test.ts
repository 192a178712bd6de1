import { SCOPES } from '@devflow/contracts'
import { expect, test } from 'vitest'
import { testApi } from '../test-api.fixture.ts'

const OWNER = {
  principal: 'owner',
  tenant: 'default',
  scopes: [...SCOPES],
  approverAs: ['owner', 'principal:owner'],
}

test('on loopback the caller is the owner, who may everything; a false token is nobody', async () => {
  const api = await testApi()
  expect(await api.call('/v1/me')).toMatchObject({ status: 200, body: OWNER })
  const authorization = 'Bearer not-the-token-at-all'
  expect(await api.call('/v1/me', { headers: { authorization } })).toMatchObject({
    status: 401,
    body: { code: 'unauthenticated' },
  })
})

test('elsewhere who holds the token is', async () => {
  const token = 'a-token-of-twenty-chars-or-more'
  const api = await testApi({ DEVFLOW_HOST: '0.0.0.0', DEVFLOW_TOKEN: token })
  expect((await api.call('/v1/me')).status).toBe(401)
  const mine = await api.call('/v1/me', { headers: { authorization: `Bearer ${token}` } })
  expect(mine).toMatchObject({ status: 200, body: OWNER })
})
