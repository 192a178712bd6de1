import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const fixture = fileURLToPath(new URL('./last-words.fixture.ts', import.meta.url))
const secret = 'swordfish-0815'

test("Node's warnings and an error nobody caught are lines of the log, scrubbed, and the error ends the process", () => {
  const { stderr, stdout, status } = spawnSync(process.execPath, [fixture, secret], { encoding: 'utf8' })
  const lines = stderr.trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    {
      level: 'warn',
      err: { message: expect.stringMatching(/^in\nlines/), stack: expect.stringContaining('OddWarning') },
    },
    { level: 'fatal', err: { message: 'nobody catches [secret]', stack: expect.any(String) } },
  ])
  expect(status).toBe(1)
  expect(stderr + stdout).not.toContain(secret)
})
