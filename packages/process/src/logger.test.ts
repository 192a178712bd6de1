import type { LogFields } from '@devflow/contracts'
import { expect, test } from 'vitest'
import { createLogger } from './logger.ts'

test('no secret leaves in a message, a field, an error or a stack, also one that JSON has to escape', () => {
  const lines: string[] = []
  const secrets = ['sk-or-v1-0123456789', 'pass"word\nwith\\all', undefined]
  const log = createLogger({ name: 'test', secrets, write: (line) => lines.push(line) })
  const temporal = { url: `https://x/?key=${secrets[0]}`, nested: [{ secret: secrets[1] }] }
  log.info({ temporal }, `using ${secrets[0]}`)
  log.error({ err: new Error(`refused ${secrets[1]}`, { cause: new Error(`by ${secrets[0]}`) }) }, 'failed')
  const written = lines.join('')
  expect(lines).toHaveLength(2)
  expect(written).not.toContain('0123456789')
  expect(written).not.toContain('word')
  expect(written.match(/\[secret\]/g)?.length).toBeGreaterThanOrEqual(5)
})

test('an event is one line of JSON, whatever it tells of, with its level and time in words', () => {
  const lines: string[] = []
  const log = createLogger({ name: 'test', level: 'debug', write: (line) => lines.push(line) })
  log.debug({ runId: 'r', phase: 'p', attempt: 1, turn: 2 }, 'first\nsecond\r\n\u2028third')
  log.warn({ err: new Error('with a stack') }, 'failed')
  log.trace('not at this level')
  expect(lines.map((line) => line.indexOf('\n'))).toEqual(lines.map((line) => line.length - 1))
  const [first, second] = lines.map((line) => JSON.parse(line))
  expect(lines).toHaveLength(2)
  expect(first).toMatchObject({ level: 'debug', name: 'test', runId: 'r', phase: 'p', attempt: 1, turn: 2 })
  expect(first.time).toBe(new Date(first.time).toISOString())
  expect(second).toMatchObject({ level: 'warn', err: { message: 'with a stack' } })
})

test('what is around the one who writes stands in each line, and its own fields come first', () => {
  const lines: string[] = []
  const around = (): LogFields => ({ traceId: 'around', runId: 'around' })
  const log = createLogger({ name: 'test', around, write: (line) => lines.push(line) })
  log.info('plain')
  log.info({ traceId: 'own' }, 'told')
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { traceId: 'around', runId: 'around' },
    { traceId: 'own', runId: 'around' },
  ])
})
