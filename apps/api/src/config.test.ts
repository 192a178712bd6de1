import { isLoopback } from '@devflow/process'
import { expect, test } from 'vitest'
import { readConfig } from './config.ts'

const DATABASE_URL = 'postgres://devflow:se%40cret@127.0.0.1/devflow'

test('reads folders and keys; the keys themselves are only secrets', () => {
  const config = readConfig(
    { DATABASE_URL, DEVFLOW_ENTRIES: '/a:/b', OPENROUTER_API_KEY: 'sk-or-1', OPENAI_API_KEY: '' },
    '/here',
  )
  expect(config).toMatchObject({
    host: '127.0.0.1',
    port: 8787,
    entries: ['/a', '/b'],
    workspaceRoots: ['/here', '/a', '/b'],
  })
  expect([...config.keys]).toEqual(['openrouter'])
  expect(config.secrets).toEqual(['sk-or-1', 'se@cret'])
})

test('refuses to be reached by others without a token, and a short token', () => {
  const read = (more: Record<string, string>) => () => readConfig({ DATABASE_URL, ...more }, '/')
  expect(read({ DEVFLOW_HOST: '0.0.0.0' })).toThrow(/DEVFLOW_TOKEN/)
  expect(read({ DEVFLOW_HOST: '0.0.0.0', DEVFLOW_TOKEN: 'short' })).toThrow(/DEVFLOW_TOKEN is wrong/)
  expect(() => readConfig({}, '/')).toThrow(/DATABASE_URL is not set/)
  expect(read({ DEVFLOW_HOST: '0.0.0.0', DEVFLOW_TOKEN: 'x'.repeat(20) })().token).toBe('x'.repeat(20))
})

test.each([
  ['localhost', true],
  ['127.0.0.1', true],
  ['::1', true],
  ['0.0.0.0', false],
  ['127.0.0.1.evil', false],
  ['10.0.0.1', false],
])('%s is this machine alone: %s', (host, answer) => {
  expect(isLoopback(host)).toBe(answer)
})
