import { expect, test } from 'vitest'
import { runCommand } from '../support/command-line.ts'

const run = (line: string) => runCommand(line.split(' '))

test.each([
  ['frobnicate --help', "unknown command 'frobnicate'"],
  ['runs frob --help', "unknown command 'frob'"],
  ['runs frob', "unknown command 'frob'"],
  ['budget frob -h', "unknown command 'frob'"],
  ['--help frobnicate', "unknown command 'frobnicate'"],
])('help of a command that there is not is bad usage: %s', async (line, words) => {
  const { code, stdout, stderr } = await run(line)
  expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(words)])
})

test.each(['runs --help', 'runs list --help', 'runs show some-run --help', 'budget --help', '--json --help'])(
  'help of one that there is is help: %s',
  async (line) => {
    const { code, stdout, stderr } = await run(line)
    expect([code, stdout, stderr]).toEqual([0, expect.stringContaining('Usage: devflow'), ''])
  },
)

test('a group without a command shows its help to people, and says so in JSON: 2', async () => {
  const help = await run('runs')
  expect([help.code, help.stdout, help.stderr]).toEqual([
    2,
    '',
    expect.stringContaining('Usage: devflow runs'),
  ])
  for (const [line, words] of [
    ['runs --json', /^devflow runs needs a command: list, show, /],
    ['--json runs', /^devflow runs needs a command: list, show, /],
    ['--json', /^devflow needs a command: up, run, runs, /],
  ] as const) {
    const { code, stdout, stderr } = await run(line)
    expect([code, stdout]).toEqual([2, ''])
    const error = { kind: 'INVALID', code: 'bad_usage', message: expect.stringMatching(words) }
    expect(JSON.parse(stderr)).toMatchObject({ error })
  }
})
