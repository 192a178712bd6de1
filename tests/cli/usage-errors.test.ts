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
    ['--json', /^devflow needs a command: up, init, run, runs, /],
  ] as const) {
    const { code, stdout, stderr } = await run(line)
    expect([code, stdout]).toEqual([2, ''])
    const error = { kind: 'INVALID', code: 'bad_usage', message: expect.stringMatching(words) }
    expect(JSON.parse(stderr)).toMatchObject({ error })
  }
})

test.each([
  ['frobnicate', "'frobnicate'은(는) 없는 명령입니다"],
  ['runs lst', "'lst'은(는) 없는 명령입니다\n  (혹시 list인가요?)"],
  ['runs list --frob', "'--frob'은(는) 없는 옵션입니다"],
  ['run', "필요한 인자 'template'이(가) 없습니다"],
  ['runs list --limit', "'--limit <count>' 옵션에 값이 필요합니다"],
  ['runs list --limit many', "'--limit <count>' 옵션에 'many'을(를) 쓸 수 없습니다. 1부터 200까지의 정수"],
  ['delegate last', "'--to <principal>' 옵션이 필요합니다"],
  ['registry restore old', "'version' 인자에 'old'을(를) 쓸 수 없습니다."],
  ['completion tcsh', "'shell' 인자에 'tcsh'을(를) 쓸 수 없습니다. 쓸 수 있는 값: bash, zsh, fish"],
  ['gates more', '인자가 너무 많습니다. 0개여야 하는데 1개입니다: more'],
])('bad usage is told in Korean where that is asked for: %s', async (line, words) => {
  const { code, stderr } = await runCommand(line.split(' '), { env: { DEVFLOW_LANG: 'ko' } })
  expect([code, stderr]).toEqual([2, expect.stringContaining(words)])
})
