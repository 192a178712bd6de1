import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test, vi } from 'vitest'
import { dataFolder, startUp } from '../testing/start-up.ts'

vi.setConfig({ testTimeout: 90_000 })

const main = fileURLToPath(new URL('../main.ts', import.meta.url))

async function rebuild(...args: string[]) {
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
  }
  const { stdout } = await promisify(execFile)(process.execPath, [main, 'rebuild', ...args], { env })
  return stdout
}

test('works on the database of a running stack, and on one it starts for itself', async () => {
  const data = join(dataFolder(), 'state')
  await expect(rebuild('--data', data)).rejects.toThrow(`${data} holds no database`)
  const up = startUp(['--data', data, '--port', '0'])
  await up.ready()
  expect(JSON.parse(await rebuild('--check', '--json', '--data', data))).toEqual({ runs: 0, differences: [] })
  up.process.kill('SIGTERM')
  await up.ended
  expect(await rebuild('--data', data)).toBe('0 runs, no difference\n')
})
