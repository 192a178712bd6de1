import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { lockData } from './lock.ts'
import { testFolder } from './testing/folder.ts'

test('another process has to wait until the first one is gone, by kill -9 too', async () => {
  const folder = testFolder()
  const fixture = fileURLToPath(new URL('./lock-owner.fixture.ts', import.meta.url))
  const owner = spawn(process.execPath, [fixture, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void owner.kill('SIGKILL'))
  await once(owner.stdout, 'data')
  expect(() => lockData(folder)).toThrow(expect.objectContaining({ kind: 'CONFLICT', code: 'data_in_use' }))
  owner.kill('SIGKILL')
  await once(owner, 'exit')
  lockData(folder).release()
  lockData(folder).release()
})
