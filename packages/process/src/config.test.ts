import { expect, test } from 'vitest'
import { z } from 'zod'
import { parseConfig } from './config.ts'

const Config = z.object({
  DATABASE_URL: z.url().describe('the address of Postgres, as in postgres://user:password@host/database'),
  DEVFLOW_PORT: z.coerce.number().int().max(65535).default(8787).describe('a port from 0 to 65535'),
})

test('reads the variables it names and leaves the others', () => {
  const config = parseConfig(Config, {
    DATABASE_URL: 'postgres://localhost/x',
    DEVFLOW_PORT: '',
    PATH: '/bin',
  })
  expect(config).toEqual({ DATABASE_URL: 'postgres://localhost/x', DEVFLOW_PORT: 8787 })
})

test('names every variable that is missing or wrong, with its fix, and never its value', () => {
  const read = () => parseConfig(Config, { DEVFLOW_PORT: 'hunter2' })
  expect(read).toThrow(
    expect.objectContaining({
      kind: 'INVALID',
      code: 'bad_config',
      message: expect.stringMatching(
        /^DATABASE_URL is not set: the address of Postgres.*\nDEVFLOW_PORT is wrong \(.*\): a port from 0 to 65535$/,
      ),
    }),
  )
  expect(read).not.toThrow(/hunter2/)
})
