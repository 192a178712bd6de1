import { expect, test } from 'vitest'
import { callerOf } from './caller.ts'
import { guard } from './guard.ts'

const TOKEN = 'a-token-of-twenty-chars-or-more'
const call = async (
  headers: Record<string, string>,
  { host = '127.0.0.1', token }: { host?: string; token?: string } = {},
) => {
  const { authorization = null } = headers
  try {
    guard(new Headers(headers), 'http://127.0.0.1:8787/v1/runs', host)
    const find = async () => undefined
    return (await callerOf({ authorization, session: undefined }, { host, token, find })).principal
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
}

test.each(['127.0.0.1:8787', 'localhost', 'localhost:1', '[::1]:8787', '127.9.9.9', 'LOCALHOST:8787'])(
  'on loopback the host %s is its own',
  async (host) => {
    expect(await call({ host })).toBe('owner')
  },
)

test.each([
  'evil.example',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  '10.0.0.1',
  'user@localhost',
  '',
  'a b',
  'localhost/x',
  '0x7f.1.evil',
])('a host %j is refused: a page may have its name point here', async (host) => {
  expect(await call({ host })).toBe('host_refused')
})

test.each([
  ['http://127.0.0.1:8787', 'owner'],
  ['http://localhost:5173', 'owner'],
  ['http://[::1]', 'owner'],
  ['https://evil.example', 'origin_refused'],
  ['http://127.0.0.1.evil.example', 'origin_refused'],
  ['null', 'origin_refused'],
  ['file://', 'origin_refused'],
])('an origin %s: %s', async (origin, answer) => {
  expect(await call({ host: '127.0.0.1:8787', origin })).toBe(answer)
})

test('on loopback the owner needs no token, but a false one is refused', async () => {
  expect(await call({ host: 'localhost' }, { token: TOKEN })).toBe('owner')
  expect(await call({ host: 'localhost', authorization: `Bearer ${TOKEN}` }, { token: TOKEN })).toBe('owner')
  for (const authorization of [
    'Bearer nope',
    `Basic ${TOKEN}`,
    'Bearer',
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN} x`,
  ]) {
    expect(await call({ host: 'localhost', authorization }, { token: TOKEN })).toBe('unauthenticated')
    expect(await call({ host: 'localhost', authorization })).toBe('unauthenticated')
  }
})

test('elsewhere a token is required, and only its own names are answered', async () => {
  const elsewhere = { host: '192.0.2.7', token: TOKEN }
  const authorization = `Bearer ${TOKEN}`
  expect(await call({ host: '192.0.2.7:8787' }, elsewhere)).toBe('unauthenticated')
  expect(await call({ host: '192.0.2.7:8787', authorization }, elsewhere)).toBe('owner')
  expect(await call({ host: 'evil.example', authorization }, elsewhere)).toBe('host_refused')
  expect(
    await call({ host: '192.0.2.7:8787', origin: 'http://192.0.2.7:8787', authorization }, elsewhere),
  ).toBe('owner')
  expect(await call({ host: '192.0.2.7:8787', origin: 'http://192.0.2.7:1', authorization }, elsewhere)).toBe(
    'origin_refused',
  )
  expect(await call({ host: 'any.example', authorization }, { host: '0.0.0.0', token: TOKEN })).toBe('owner')
  expect(
    await call(
      { host: 'any.example', origin: 'http://localhost:1', authorization },
      { host: '0.0.0.0', token: TOKEN },
    ),
  ).toBe('origin_refused')
})
