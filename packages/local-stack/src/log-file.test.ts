import { closeSync, readFileSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openLog } from './log-file.ts'
import { testFolder } from './testing/folder.ts'

test('goes on in the same file until it is too large, and keeps the one before', () => {
  const path = join(testFolder(), 'logs', 'api.log')
  for (const line of ['one\n', 'two\n']) {
    const log = openLog(path)
    writeSync(log, line)
    closeSync(log)
  }
  expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n')
  truncateSync(path, 10_000_001)
  writeFileSync(`${path}.1`, 'older')
  closeSync(openLog(path))
  expect(readFileSync(path, 'utf8')).toBe('')
  expect(readFileSync(`${path}.1`).length).toBe(10_000_001)
})
