import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { CLI_MAIN, runCommand } from '../support/command-line.ts'
import { ownEnv } from '../support/own-env.ts'
import { hasTmux, openTerminal, type Terminal } from '../support/terminal.ts'
import { useCommandStack } from './stack.ts'

const devflow = useCommandStack()

const PROGRAM = `"${process.execPath}" "${CLI_MAIN}"`

async function newHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'devflow-repl-'))
  onTestFinished(() => rm(home, { recursive: true, force: true, maxRetries: 5 }))
  return home
}

interface Options {
  home?: string
  args?: string
  env?: Record<string, string>
  /** What is run in the terminal instead of the program by itself. */
  shell?: string
}

const open = async ({ home, args = '', env = devflow.env, shell }: Options = {}) =>
  openTerminal(shell ?? `${PROGRAM} ${args}`, {
    rows: 120,
    env: { ...ownEnv(), HOME: home ?? (await newHome()), TERM: 'xterm', ...env },
  })

const isAsked = (screen: string): boolean => /^devflow>$/m.test(screen.split('\n').at(-1) ?? '')

/** Opens the prompt, and waits for it. */
async function openPrompt(options?: Options): Promise<Terminal> {
  const terminal = await open(options)
  await terminal.until(isAsked)
  return terminal
}

/** Types a line and waits until the prompt is there again; answers what stands between them. */
async function say(terminal: Terminal, line: string): Promise<string> {
  await terminal.type(line)
  await terminal.press('Enter')
  const typed = `devflow> ${line}\n`
  const screen = await terminal.until((text) => text.includes(typed) && isAsked(text))
  return screen.slice(screen.lastIndexOf(typed) + typed.length).replace(/\n?devflow>$/, '')
}

async function leave(terminal: Terminal): Promise<void> {
  await terminal.type('exit')
  await terminal.press('Enter')
  await terminal.until((screen) => screen.endsWith('exit=0'))
}

test.runIf(hasTmux)(
  'commands are typed without the name, an error is told, and the prompt goes on',
  async () => {
    const terminal = await openPrompt()
    expect(await terminal.screen()).toMatch(
      /^Devflow \d\S+ Type a command; help shows them all, exit leaves\.\n/,
    )
    expect(await say(terminal, 'gates')).toBe('No gate is open.')
    expect(await say(terminal, 'frobnicate')).toMatch(/INVALID bad_usage\n {2}unknown command 'frobnicate'/)
    expect(await say(terminal, 'npx devflow gates --json')).toBe('{"items":[]}')
    expect(await say(terminal, `tokens mint "Ann's own" --scope runs:read`)).toMatch(/^name +Ann's own$/m)
    expect(await say(terminal, 'tokens mint "Ann')).toMatch(/INVALID bad_usage\n {2}a quote is not closed/)
    expect(await say(terminal, 'help completion')).toContain('Usage: devflow completion')
    expect(await say(terminal, 'run asks@1 --yes --detach')).toContain('Submitted ')
    await devflow.start(['runs', 'show', 'last', '--follow']).ended
    expect(await say(terminal, 'approve last')).toBe('You have approved approve.')
    await leave(terminal)
  },
)

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

test.runIf(hasTmux)('Ctrl-C leaves the command, at the prompt the line; Ctrl-D the prompt: 0', async () => {
  const terminal = await openPrompt()
  await terminal.type('run waits@1 --yes')
  await terminal.press('Enter')
  await terminal.until((screen) => screen.includes('waits for the signal'))
  await terminal.press('C-c')
  await terminal.until((screen) => screen.includes('You have left; the run goes on') && isAsked(screen))
  expect(await say(terminal, 'runs list --status waiting --limit 1')).toContain('waits@1')

  // It listens to nothing but signals: nobody holds its keyboard.
  await terminal.type('events follow')
  await terminal.press('Enter')
  const published = async () => {
    await devflow.json('events', 'publish', 'orders.paid')
    return terminal.screen()
  }
  await expect.poll(published, { timeout: 20_000 }).toContain('orders.paid')
  await terminal.press('C-c')
  await terminal.until(isAsked)

  await terminal.type('runs cancel last')
  await terminal.press('C-c')
  await terminal.until((screen) => screen.includes('devflow> runs cancel last^C\n') && isAsked(screen))
  await terminal.press('C-d')
  await terminal.until((screen) => screen.endsWith('devflow>\nexit=0'))
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

test.runIf(hasTmux)(
  'lines come back with the arrow keys, also at the next prompt; tokens are not kept',
  async () => {
    const home = await newHome()
    const first = await openPrompt({ home })
    await say(first, 'gates --status approved --json')
    await say(first, 'runs list --token dfl_of-nobody --template none@1')
    await say(first, 'gates --status "approved')
    await leave(first)
    const file = join(home, '.local', 'state', 'devflow', 'history')
    if (process.platform === 'linux') {
      expect(await readFile(file, 'utf8')).toBe('gates --status approved --json\ngates --status "approved\n')
      expect((await stat(file)).mode & 0o777).toBe(0o600)
    }
    const second = await openPrompt({ home })
    await second.press('Up')
    await second.until((screen) => screen.endsWith('devflow> gates --status "approved'))
    await second.press('Up')
    await second.until((screen) => screen.endsWith('devflow> gates --status approved --json'))
    await second.press('Up', 'Down', 'Down', 'Down')
    await second.until(isAsked)
    await leave(second)
  },
)

test.runIf(hasTmux)('a home that cannot be written is no reason not to work', async () => {
  const terminal = await openPrompt({ home: '/dev/null' })
  expect(await say(terminal, 'gates --json')).toContain('"items"')
  await terminal.press('Up')
  await terminal.until((screen) => screen.endsWith('devflow> gates --json'))
})

test.runIf(hasTmux)('Tab completes commands, options and what they take', async () => {
  const home = await newHome()
  await mkdir(join(home, 'kept-here'))
  const terminal = await openPrompt()
  for (const [typed, whole] of [
    ['com', 'completion '],
    ['ex', 'exit '],
    ['runs rep', 'runs report '],
    ['devflow runs rep', 'devflow runs report '],
    ['run x --bud', 'run x --budget '],
    ['completion f', 'completion fish '],
    ['gates --lang=k', 'gates --lang=ko '],
    ['tokens mint "a b" --scope gat', 'tokens mint "a b" --scope gates:decide '],
    [`init ${home}/kep`, `init ${home}/kept-here/`],
  ] as const) {
    await terminal.type(typed)
    await terminal.until((screen) => screen.endsWith(`devflow> ${typed}`))
    await terminal.press('Tab')
    await terminal.until((screen) => screen.endsWith(`devflow> ${whole.trimEnd()}`))
    // Shows whether it goes on with the next word.
    await terminal.type('|')
    await terminal.until((screen) => screen.endsWith(`devflow> ${whole}|`))
    await terminal.press('C-u')
    await terminal.until(isAsked)
  }
  await terminal.type('runs re')
  await terminal.until((screen) => screen.endsWith('devflow> runs re'))
  // Twice, as in a shell; of two that come at once the first would be a character of what is pasted.
  const listed = async () => {
    await terminal.press('Tab')
    return terminal.screen()
  }
  await expect.poll(listed, { timeout: 20_000 }).toMatch(/report +resume +retry/)
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

test('without a terminal there is no prompt: the commands are shown, and it ends with 2', async () => {
  const { code, stdout, stderr } = await runCommand([], { stdin: 'gates\n' })
  expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining('Usage: devflow')])
})

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
