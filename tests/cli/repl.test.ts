import { mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCommand } from '../support/command-line.ts'
import { hasTmux } from '../support/terminal.ts'
import { isAsked, leave, newHome, prompts, say } from './prompt.ts'
import { useCommandStack } from './stack.ts'

const devflow = useCommandStack()
const { openPrompt } = prompts(() => devflow.env)

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

test('without a terminal there is no prompt: the commands are shown, and it ends with 2', async () => {
  const { code, stdout, stderr } = await runCommand([], { stdin: 'gates\n' })
  expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining('Usage: devflow')])
})
