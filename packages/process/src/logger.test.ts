import { expect, test } from 'vitest'
import { createLogger } from './logger.ts'

test('no secret leaves in a message, a field, an error or a stack, also one that JSON has to escape', () => {
  const lines: string[] = []
  const secrets = ['sk-or-v1-0123456789', 'pass"word\nwith\\all', undefined]
  const log = createLogger({ name: 'test', secrets, write: (line) => lines.push(line) })
  log.info({ url: `https://x/?key=${secrets[0]}`, nested: [{ secret: secrets[1] }] }, `using ${secrets[0]}`)
  log.error(new Error(`refused ${secrets[1]}`), 'failed')
  const written = lines.join('')
  for (const line of lines) JSON.parse(line)
  expect(lines).toHaveLength(2)
  expect(written).not.toContain('0123456789')
  expect(written).not.toContain('word')
  expect(written.match(/\[secret\]/g)?.length).toBeGreaterThanOrEqual(4)
})
