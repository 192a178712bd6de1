import { expect, test } from 'vitest'
import { readConfig } from './config.ts'

const base = { DATABASE_URL: 'postgres://devflow:secret-of-db@localhost/devflow' }

test('servers of chat completions are named by their variables, and their keys are secrets', () => {
  const config = readConfig({
    ...base,
    OPENAI_COMPATIBLE_BASE_URL: 'http://127.0.0.1:8000/v1',
    OPENAI_COMPATIBLE_DEEP_SEEK_BASE_URL: 'https://api.deepseek.example/v1',
    OPENAI_COMPATIBLE_DEEP_SEEK_API_KEY: 'sk-deep-seek-0123456789',
  })
  expect(config.openAiCompatible.endpoints).toEqual({
    default: { baseURL: 'http://127.0.0.1:8000/v1' },
    'deep-seek': { baseURL: 'https://api.deepseek.example/v1', apiKey: 'sk-deep-seek-0123456789' },
  })
  expect(config.secrets).toContain('sk-deep-seek-0123456789')
})

test.each([
  [{ OPENAI_COMPATIBLE_LAB_API_KEY: 'sk-lab' }, /OPENAI_COMPATIBLE_LAB_BASE_URL is not: set both/],
  [{ OPENAI_COMPATIBLE_BASE_URL: 'nowhere' }, /OPENAI_COMPATIBLE_BASE_URL is wrong: the address/],
  [{ OPENAI_REASONING_SUMMARY: 'all' }, /OPENAI_REASONING_SUMMARY is wrong.*auto, concise, detailed/],
])('a wrong one is told with its fix, and without its value: %o', (wrong, message) => {
  const read = () => readConfig({ ...base, ...wrong })
  expect(read).toThrow(expect.objectContaining({ kind: 'INVALID', code: 'bad_config' }))
  expect(read).toThrow(message)
  expect(read).not.toThrow(/sk-lab|nowhere/)
})
