import { expect, test } from 'vitest'
import { CLI_MAIN } from '../support/command-line.ts'
import { ownEnv } from '../support/own-env.ts'
import { hasTmux, openTerminal } from '../support/terminal.ts'
import { useCommandStack } from './stack.ts'

const devflow = useCommandStack()

const open = (args: string, { columns = 80, rows = 24, env = {} } = {}) =>
  openTerminal(`"${process.execPath}" "${CLI_MAIN}" ${args}`, {
    columns,
    rows,
    env: { ...ownEnv(), ...devflow.env, ...env },
  })

/** What differs from run to run: ids, times, hashes. Widths stay. */
const steady = (screen: string): string =>
  screen
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '01234567-89ab-7cde-8f01-23456789abcd')
    .replace(/sha256 [0-9a-f]{12}/g, 'sha256 0123456789ab')
    .replace(/(2d 23h|3d 0h)/g, '3d 0h')
    .replace(/ +(\d+[hm] )?[\d.]+s$/gm, ' TIME')

const wide = (screen: string): number => Math.max(...screen.split('\n').map((line) => [...line].length))

test.runIf(hasTmux)('a followed run is drawn over in place, its gate asked, its end told', async () => {
  const terminal = await open('run asks@1 --yes')
  const asked = await terminal.until((screen) => screen.includes('Decide later'))
  expect(steady(asked)).toMatchInlineSnapshot(`
    "What it may cost of $0.50
    PHASE    BY       MODEL                   TOKENS                 COST
    work     agent@1  deepseek/deepseek-chat  44,700  <$0.0001 to $0.0285
    approve  gate
    after    agent@1  deepseek/deepseek-chat  42,150  <$0.0001 to $0.0277
    all                                       86,850   $0.0001 to $0.0562


    ? Is the note good?  approve · 0 of 1 · 3d 0h left

      note sha256 0123456789ab
      title: A note
      size: 1

    ◆  Is the note good?
    ● Approve
    ○ Reject
    ○ Show all of it first
    ○ Decide later"
  `)
  await terminal.press('Enter')
  await terminal.until((screen) => screen.includes('A comment'))
  await terminal.type('Good work')
  await terminal.press('Enter')
  const ended = await terminal.until((screen) => screen.includes('exit='))
  expect(steady(ended)).toMatchInlineSnapshot(`
    "? Is the note good?  approve · 0 of 1 · 3d 0h left

      note sha256 0123456789ab
      title: A note
      size: 1

    ◇  Is the note good?
    Approve
    ◇  A comment (may stay empty)
    Good work
    You have approved approve.

    asks@1  01234567-89ab-7cde-8f01-23456789abcd                     completed TIME

    ✓ work     agent@1, 3 turns                       817 tokens   $0.0003 TIME
    ✓ approve  approved TIME
    ✓ after    agent@1, 2 turns                       238 tokens  <$0.0001 TIME

    957 tokens in, 98 out · $0.0003 of $0.50

    The run completed.
      its report  devflow runs report 01234567-89ab-7cde-8f01-23456789abcd
    exit=0"
  `)
  expect(wide(ended)).toBeLessThanOrEqual(80)
  const { items } = await devflow.json<{ items: { decisions: unknown[] }[] }>('gates', '--status', 'approved')
  expect(items[0]?.decisions).toMatchObject([{ decision: 'approve', comment: 'Good work' }])
})

test.runIf(hasTmux)('a gate may be left for later: 3', async () => {
  const terminal = await open('run asks@1 --yes')
  await terminal.until((screen) => screen.includes('Decide later'))
  await terminal.press('Up')
  await terminal.press('Enter')
  const ended = await terminal.until((screen) => screen.includes('exit='))
  expect(ended).toContain('exit=3')
  expect(steady(ended)).toContain('devflow approve 01234567-89ab-7cde-8f01-23456789abcd approve')
})

test.runIf(hasTmux)('a question goes away when the gate is decided elsewhere', async () => {
  const terminal = await open('run asks@1 --yes')
  await terminal.until((screen) => screen.includes('Decide later'))
  expect((await devflow.run('approve', 'last')).code).toBe(0)
  const ended = await terminal.until((screen) => screen.includes('exit='))
  expect(ended).toContain('The gate was decided elsewhere: approved.')
  expect(ended).toContain('exit=0')
})

test.runIf(hasTmux)('Ctrl-C leaves, at a question too', async () => {
  const waiting = await open('run waits@1 --yes')
  await waiting.until((screen) => screen.includes('waits for the signal'))
  // Keys that nobody asked for move nothing of what is drawn.
  await waiting.press('Enter', 'Enter', 'x', 'C-c')
  const left = await waiting.until((screen) => screen.includes('exit='))
  expect(steady(left)).toMatchInlineSnapshot(`
    "waits@1  01234567-89ab-7cde-8f01-23456789abcd                      waiting TIME

    ? signal  waits for the signal or time of s… TIME

    0 tokens in, 0 out · $0.00 · Ctrl-C leaves; the run goes on

    You have left; the run goes on without you.
      follow it  devflow runs show 01234567-89ab-7cde-8f01-23456789abcd --follow
    exit=130"
  `)
  const asking = await open('run asks@1 --yes')
  await asking.until((screen) => screen.includes('Decide later'))
  await asking.press('C-c')
  expect(await asking.until((screen) => screen.includes('exit='))).toContain('exit=130')
})

test.runIf(hasTmux)('fits a narrow window, and one that becomes narrower', async () => {
  const terminal = await open('run waits@1 --yes', { columns: 48 })
  expect(wide(await terminal.until((screen) => screen.includes('waits for')))).toBeLessThanOrEqual(48)
  await terminal.resize(40, 20)
  await terminal.press('C-c')
  const left = await terminal.until((screen) => screen.includes('exit='))
  expect(left.match(/waits@1/g)).toHaveLength(1)
})

test.runIf(hasTmux)('speaks Korean, in columns that hold', async () => {
  const terminal = await open('run asks@1 --yes --lang ko')
  await terminal.until((screen) => screen.includes('나중에 결정'))
  await terminal.press('Enter')
  await terminal.until((screen) => screen.includes('덧붙일 말'))
  await terminal.press('Enter')
  const ended = await terminal.until((screen) => screen.includes('exit='))
  expect(steady(ended)).toMatchInlineSnapshot(`
    "? Is the note good?  approve · 1명 중 0명 · 3d 0h 남음

      note sha256 0123456789ab
      title: A note
      size: 1

    ◇  Is the note good?
    승인
    ◇  덧붙일 말 (비워도 됩니다)

    approve 게이트를 승인했습니다.

    asks@1  01234567-89ab-7cde-8f01-23456789abcd                          완료 TIME

    ✓ work     agent@1, 3턴                             817 토큰   $0.0003 TIME
    ✓ approve  승인 TIME
    ✓ after    agent@1, 2턴                             238 토큰  <$0.0001 TIME

    입력 957 토큰, 출력 98 토큰 · $0.0003 / $0.50

    실행이 완료되었습니다.
      보고서  devflow runs report 01234567-89ab-7cde-8f01-23456789abcd
    exit=0"
  `)
})

test.runIf(hasTmux)('colours say nothing that signs do not: NO_COLOR has none', async () => {
  const terminal = await open('runs show last', { env: { NO_COLOR: '1' } })
  await terminal.until((screen) => screen.includes('exit='))
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for.
  expect(await terminal.coloured()).not.toMatch(/\u001b\[\d*[1-9]m/)
  const coloured = await open('runs show last')
  await coloured.until((screen) => screen.includes('exit='))
  expect(await coloured.coloured()).toContain('\u001b[1m')
})

test.runIf(hasTmux)('lists fit 80 columns', async () => {
  for (const args of ['runs list', 'gates --status approved', 'calls last', '--help', 'run --help']) {
    const terminal = await open(args, { rows: 60 })
    const screen = await terminal.until((text) => text.includes('exit='))
    expect(screen).toContain('exit=0')
    expect(wide(screen), args).toBeLessThanOrEqual(80)
  }
})
