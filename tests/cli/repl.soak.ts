import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { hasTmux } from '../support/terminal.ts'
import { isAsked, leave, newHome, PROGRAM, prompts, say } from './prompt.ts'
import { useCommandStack } from './stack.ts'

const devflow = useCommandStack()
const { open, openPrompt } = prompts(() => devflow.env)

test.runIf(hasTmux)('a command has the whole terminal: it draws, asks, and gives it back', async () => {
  const terminal = await openPrompt()
  await terminal.type('run asks@1 --yes')
  await terminal.press('Enter')
  await terminal.until((screen) => screen.includes('Decide later'))
  await terminal.press('Down', 'Enter')
  await terminal.until((screen) => screen.includes('A comment'))
  await terminal.type('Not good')
  await terminal.press('Enter')
  await terminal.until((screen) => screen.includes('You have rejected approve.') && isAsked(screen))
  const { items } = await devflow.json<{ items: { decisions: unknown[] }[] }>('gates', '--status', 'rejected')
  expect(items[0]?.decisions).toMatchObject([{ decision: 'reject', comment: 'Not good' }])
  await leave(terminal)
})

test.runIf(hasTmux)(
  'Ctrl-Z stops a command together with the prompt, for the shell to go on with',
  async () => {
    const terminal = await open({ shell: 'PS1="$ " bash --norc --noprofile -i' })
    await terminal.type(PROGRAM)
    await terminal.press('Enter')
    await terminal.until(isAsked)
    await terminal.type('run waits@1 --yes')
    await terminal.press('Enter')
    await terminal.until((screen) => screen.includes('waits for the signal'))
    await terminal.press('C-z')
    await terminal.until((screen) => screen.includes('Stopped') && screen.endsWith('$'))
    await terminal.type('fg')
    await terminal.press('Enter')
    await terminal.until((screen) => screen.endsWith('Ctrl-C leaves; the run goes on'))
    await terminal.press('C-c')
    await terminal.until((screen) => screen.includes('You have left; the run goes on') && isAsked(screen))
  },
)

test.runIf(hasTmux)('lines that are pasted at once are done one after the other', async () => {
  const terminal = await openPrompt()
  await terminal.type('gates --json\nruns list --template none@1\npric')
  await terminal.until((screen) => /"items":\[[\s\S]*No runs\.\ndevflow> pric$/.test(screen))
})

test.runIf(hasTmux)('a home that cannot be written is no reason not to work', async () => {
  const terminal = await openPrompt({ home: '/dev/null' })
  expect(await say(terminal, 'gates --json')).toContain('"items"')
  await terminal.press('Up')
  await terminal.until((screen) => screen.endsWith('devflow> gates --json'))
})

test.runIf(hasTmux)(
  'options of every command hold for all lines; those of a line come over them',
  async () => {
    const { token } = await devflow.json<{ token: string }>(
      ...(['tokens', 'mint', 'x', '--scope', 'runs:read'] as const),
    )
    const terminal = await openPrompt({ env: {}, args: `--url ${devflow.url} --token ${token} --lang ko` })
    expect(await terminal.screen()).toContain('명령을 입력하세요.')
    expect(await say(terminal, 'runs list --template none@1')).toBe('실행이 없습니다.')
    expect(await say(terminal, 'runs list --template none@1 --lang en')).toBe('No runs.')
    expect(await say(terminal, 'registry list')).toContain('scope_missing')
    expect(await say(terminal, 'runs list --url http://127.0.0.1:1')).toContain('UNAVAILABLE unreachable')
    expect(await say(terminal, 'up --port 0')).toMatch(
      /INVALID own_terminal\n {2}`up`은 .*\n→ 다른 터미널에서 입력하세요: devflow up$/,
    )
    expect(await say(terminal, 'up --json')).toContain('own_terminal')
    expect(await say(terminal, 'up --help')).toContain('--workspace-root')
    expect(await say(terminal, 'gates "')).toContain('따옴표가 닫히지 않았습니다')
    await leave(terminal)
  },
)

test.runIf(hasTmux)(
  'in a terminal too, JSON and what is wrong with options are told as ever: 2',
  async () => {
    for (const [args, words] of [
      ['--json', '"code":"bad_usage"'],
      ['--lang xx', "'xx' is invalid"],
      ['--frob', "unknown option '--frob'"],
      ['frob', "unknown command 'frob'"],
    ] as const) {
      const terminal = await open({ args })
      const screen = await terminal.until((text) => text.includes('exit='))
      expect([screen.includes(words), screen.endsWith('exit=2')]).toEqual([true, true])
    }
  },
)

test.runIf(hasTmux)('asked to end it ends, and what runs at it before: 130', async () => {
  const home = await newHome()
  const terminal = await openPrompt({ shell: `sh -c 'echo $$ > "${home}/pid"; exec ${PROGRAM}'` })
  await terminal.type('run waits@1 --yes')
  await terminal.press('Enter')
  await terminal.until((screen) => screen.includes('waits for the signal'))
  process.kill(Number(await readFile(join(home, 'pid'), 'utf8')), 'SIGTERM')
  const screen = await terminal.until((text) => text.includes('exit='))
  expect(screen).toMatch(/You have left; the run goes on[\s\S]*\nexit=130$/)
})
