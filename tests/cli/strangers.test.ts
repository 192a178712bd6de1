import { randomUUIDv7 } from 'node:crypto'
import { expect, test } from 'vitest'
import { runCommand } from '../support/command-line.ts'
import { otherServer } from '../support/other-server.ts'

const ANSWERS = [
  [200, 'text/html', '<h1>It works!</h1>'],
  [404, 'text/plain', 'Not found'],
  [404, 'application/json', '{"error":"nope"}'],
  [403, 'text/html', '<h1>Forbidden</h1>'],
  [500, 'text/html', '<h1>Oops</h1>'],
] as const

test.each(ANSWERS)('what answers and is no Devflow is said to be none: %i %s', async (status, type, body) => {
  const url = await otherServer((_, response) =>
    response.writeHead(status, { 'content-type': type }).end(body),
  )
  const follow = `runs events ${randomUUIDv7()} --follow`
  for (const command of ['runs list', 'run x@1', 'events follow', follow, 'approve last']) {
    const { code, stdout, stderr } = await runCommand([...command.split(' '), '--url', url])
    expect([command, code, stdout]).toEqual([command, 5, ''])
    expect(stderr).toContain(`UNAVAILABLE no_devflow\n  what answers at ${url} is no Devflow (${status})\n→ `)
  }
  const { code, stderr } = await runCommand(['run', 'x@1', '--url', url, '--json'])
  const error = { kind: 'UNAVAILABLE', code: 'no_devflow', fix: expect.stringContaining('--url') }
  expect([code, JSON.parse(stderr)]).toMatchObject([5, { error }])
})
