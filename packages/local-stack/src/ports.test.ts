import { execFile } from 'node:child_process'
import { createServer } from 'node:net'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { freePorts, isFree } from './ports.ts'

test('ports that several processes want at once are given to whoever was first, others to the rest', async () => {
  const preferred = await freePorts(2)
  const script = `
    import { freePorts } from ${JSON.stringify(new URL('./ports.ts', import.meta.url).href)}
    for (let times = 0; times < 300; times += 1)
      if (new Set(await freePorts(2, ${JSON.stringify(preferred)})).size !== 2) process.exit(1)`
  const run = promisify(execFile)
  const four = Array.from({ length: 4 }, () => run(process.execPath, ['--input-type=module', '-e', script]))
  await Promise.all(four)
})

test('a port that is taken is not given, nor one twice', async () => {
  const [taken = 0, free = 0] = await freePorts(2)
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(taken, '127.0.0.1', resolve))
  expect([await isFree(taken), await isFree(free)]).toEqual([false, true])
  const [first, second, third] = await freePorts(3, [taken, free, free])
  expect(first).not.toBe(taken)
  expect(second).toBe(free)
  expect(third).not.toBe(free)
  await new Promise((resolve) => server.close(resolve))
})
