import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { CLI_MAIN } from '../support/command-line.ts'
import { ownEnv } from '../support/own-env.ts'
import { hasTmux, openTerminal } from '../support/terminal.ts'
import { keysHome } from './keys-home.ts'

const KEY = 'sk-or-v1-0123456789abcdef'

const sourcesIn = (stdout: string): Record<string, unknown> =>
  Object.fromEntries(
    (JSON.parse(stdout) as { items: { provider: string }[] }).items.map(({ provider, ...source }) => [
      provider,
      source,
    ]),
  )

test('a key is kept, listed without being shown, replaced and forgotten', async () => {
  const home = await keysHome()
  const login = await home.run('login openrouter', { stdin: `${KEY}\n` })
  expect([login.code, login.stderr]).toEqual([0, ''])
  expect(login.stdout).toContain(`kept in ${home.note('openrouter')}, which you alone may read`)
  expect(login.stdout).toContain('(DEVFLOW_KEYRING is off)')
  expect(login.stdout).toContain('restart one that runs')
  const keys = await home.run('keys')
  expect(keys.stdout).toBe(
    [
      'PROVIDER    VARIABLE            KEY FROM',
      'openrouter  OPENROUTER_API_KEY  file',
      'openai      OPENAI_API_KEY      none',
      'anthropic   ANTHROPIC_API_KEY   none',
      'google      GOOGLE_API_KEY      none',
      '',
    ].join('\n'),
  )
  const again = await home.run('login openrouter', { stdin: 'sk-or-v1-another' })
  expect(again.stdout).toContain('takes the place of the one before')
  expect(await readFile(home.note('openrouter'), 'utf8')).toContain('sk-or-v1-another')
  const logout = await home.run('logout openrouter')
  expect([logout.code, logout.stdout]).toEqual([
    0,
    expect.stringContaining('The key for openrouter is forgotten'),
  ])
  expect(existsSync(home.note('openrouter'))).toBe(false)
  const none = await home.run('logout openrouter')
  expect([none.code, none.stdout]).toEqual([0, 'No key for openrouter was kept.\n'])
  for (const { stdout } of [login, keys, again, logout]) expect(stdout).not.toContain('sk-or')
})

test('each speaks JSON, and never of the key', async () => {
  const home = await keysHome()
  const document = async (args: string, stdin?: string) => {
    const { code, stdout, stderr } = await home.run(`${args} --json`, stdin === undefined ? {} : { stdin })
    expect([code, stderr, stdout.includes(KEY)]).toEqual([0, '', false])
    return JSON.parse(stdout)
  }
  const file = home.note('google')
  const google = { provider: 'google', variable: 'GOOGLE_API_KEY', kept: 'file', file }
  expect(await document('login google', KEY)).toEqual({ ...google, replaced: false })
  expect(await document('login google', KEY)).toEqual({ ...google, replaced: true })
  const { items } = await document('keys')
  expect(items).toHaveLength(4)
  expect(items).toContainEqual({ provider: 'google', variable: 'GOOGLE_API_KEY', from: 'file' })
  expect(items).toContainEqual({ provider: 'openai', variable: 'OPENAI_API_KEY', from: 'none' })
  expect(await document('logout google')).toEqual({ provider: 'google', forgotten: true })
  expect(await document('logout google')).toEqual({ provider: 'google', forgotten: false })
})

test('the file of a key is its owner’s alone, whatever was there', async () => {
  const home = await keysHome()
  const folder = dirname(home.note('openai'))
  await mkdir(folder, { recursive: true })
  await chmod(folder, 0o755)
  await writeFile(home.note('openai'), '{}', { mode: 0o644 })
  await home.run('login openai', { stdin: KEY })
  const modes = await Promise.all([folder, home.note('openai')].map(async (path) => (await stat(path)).mode))
  expect(modes.map((mode) => (mode & 0o777).toString(8))).toEqual(['700', '600'])
  expect(await readdir(folder)).toEqual(['openai.json'])
})

test('the environment comes first, by any of its names', async () => {
  const home = await keysHome()
  await home.run('login google', { stdin: KEY })
  const env = { GEMINI_API_KEY: 'of-the-environment', OPENAI_API_KEY: 'another', ANTHROPIC_API_KEY: '' }
  const { stdout } = await home.run('keys --json', { env })
  expect(sourcesIn(stdout)).toEqual({
    openrouter: { variable: 'OPENROUTER_API_KEY', from: 'none' },
    openai: { variable: 'OPENAI_API_KEY', from: 'environment' },
    anthropic: { variable: 'ANTHROPIC_API_KEY', from: 'none' },
    google: { variable: 'GEMINI_API_KEY', from: 'environment', kept: 'file' },
  })
  expect((await home.run('keys', { env })).stdout).toContain(
    'GEMINI_API_KEY      environment, before one in the file',
  )
  expect((await home.run('login google', { env, stdin: KEY })).stdout).toContain(
    'GEMINI_API_KEY is set in the environment here, and comes first.',
  )
  expect((await home.run('logout google', { env })).stdout).toContain('that one stays')
})

test.each([
  ['nothing', '', 'no key for openai on standard input'],
  ['blanks alone', ' \n\t\n', 'no key for openai on standard input'],
  ['a blank inside', 'sk-proj-1 secret', 'that is no key'],
  ['two lines', 'sk-proj-1\nuser: secret\n', 'that is no key'],
  ['a control character', 'sk-proj-\u001b[1msecret', 'that is no key'],
  ['quotes of a text', '“sk-proj-secret”', 'that is no key'],
  ['a whole file', 'secret'.repeat(1_000), 'more than 1000 characters'],
])('%s is no key: 2', async (_, stdin, words) => {
  const home = await keysHome()
  const { code, stdout, stderr } = await home.run('login openai', { stdin })
  expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(words)])
  expect(stderr).not.toContain('secret')
  expect(existsSync(home.note('openai'))).toBe(false)
})

test.each([
  ['login', 'name a provider: openrouter, openai, anthropic, google'],
  ['login sk-or-secret', 'name a provider: openrouter'],
  ['login openrouter sk-or-secret', 'a key is never an argument'],
  ['logout', "missing required argument 'provider'"],
  ['logout ollama', 'Allowed choices are openrouter, openai, anthropic, google'],
])('%s is bad usage, and what may be a key is not repeated: 2', async (args, words) => {
  const home = await keysHome()
  const { code, stdout, stderr } = await home.run(args, { stdin: KEY })
  expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(words)])
  expect(stderr).not.toContain('secret')
})

test('speaks Korean', async () => {
  const home = await keysHome()
  const run = (args: string, stdin = '') => home.run(`${args} --lang ko`, { stdin })
  expect((await run('login openrouter', KEY)).stdout).toMatch(
    /^openrouter의 키를 본인만 읽을 수 있는 .*에 보관했습니다/,
  )
  expect((await run('keys')).stdout).toMatch(/openrouter +OPENROUTER_API_KEY +파일\n.*없음/)
  expect((await run('login openrouter', 'no key')).stderr).toContain('키가 아닙니다')
  expect((await run('login', KEY)).stderr).toContain('제공자를 지정하세요: openrouter')
  expect((await run('logout openrouter')).stdout).toContain('openrouter의 키를 지웠습니다.')
})

test('without a home there is nowhere to keep a key, and none is kept: 2', async () => {
  const home = await keysHome()
  const env = { HOME: '', XDG_CONFIG_HOME: '' }
  for (const args of ['login openai', 'logout openai'])
    expect(await home.run(args, { env, stdin: KEY })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/INVALID no_home\n.*HOME is empty/),
    })
  expect(await home.run('keys', { env })).toMatchObject({
    code: 0,
    stdout: expect.not.stringContaining('file'),
  })
})

test('a file that is not ours, or cannot be written, is told without what stands in it', async () => {
  const home = await keysHome()
  await mkdir(dirname(home.note('openai')), { recursive: true })
  await writeFile(home.note('openai'), 'sk-proj-secret')
  const keys = await home.run('keys')
  expect([keys.code, keys.stdout]).toEqual([
    0,
    expect.stringContaining(`${home.note('openai')} is not as devflow login writes it`),
  ])
  expect(keys.stdout).not.toContain('secret')
  expect((await home.run('login openai', { stdin: KEY })).stdout).toContain('takes the place')
  const env = { XDG_CONFIG_HOME: '/dev/null' }
  expect(await home.run('login openai', { env, stdin: KEY })).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/UNAVAILABLE keys_unwritable\n.*\/dev\/null\/devflow\/keys/),
  })
})

test('what a keyring has and does not give is not forgotten, nor taken for something else', async () => {
  const home = await keysHome()
  await mkdir(dirname(home.note('openai')), { recursive: true })
  await writeFile(home.note('openai'), '{"in":"keyring"}')
  const off = 'the keyring cannot be used: DEVFLOW_KEYRING is off'
  const { stdout } = await home.run('keys --json')
  expect(sourcesIn(stdout).openai).toEqual({ variable: 'OPENAI_API_KEY', from: 'keyring', problem: off })
  expect(await home.run('logout openai')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/UNAVAILABLE keyring_away\n.*DEVFLOW_KEYRING is off/),
  })
  expect(existsSync(home.note('openai'))).toBe(true)
})

test.runIf(process.platform === 'linux')('a keyring that answers nothing is waited for 3 s', async () => {
  const home = await keysHome()
  const socket = join(home.folder, 'bus')
  const silent = createServer().listen(socket)
  onTestFinished(() => void silent.close())
  await mkdir(dirname(home.note('openai')), { recursive: true })
  await writeFile(home.note('openai'), '{"in":"keyring"}')
  const env = { DEVFLOW_KEYRING: 'on', DBUS_SESSION_BUS_ADDRESS: `unix:path=${socket}` }
  const { code, stdout } = await home.run('keys', { env })
  expect([code, stdout]).toEqual([0, expect.stringContaining('no answer within 3 s')])
})

test.runIf(process.platform === 'linux')('where there is no keyring a key is kept in a file', async () => {
  const home = await keysHome()
  const env = { DEVFLOW_KEYRING: 'on', DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(home.folder, 'none')}` }
  const { code, stdout } = await home.run('login openai', { env, stdin: KEY })
  expect([code, stdout]).toEqual([0, expect.stringMatching(/no keyring can be used \(.*DBus error/)])
  const { stdout: keys } = await home.run('keys --json', { env })
  expect(sourcesIn(keys).openai).toEqual({ variable: 'OPENAI_API_KEY', from: 'file' })
})

test.runIf(hasTmux)('in a terminal provider and key are asked for, and the key is not seen', async () => {
  const home = await keysHome()
  const terminal = await openTerminal(`"${process.execPath}" "${CLI_MAIN}" login`, {
    env: { ...ownEnv(), ...home.env },
  })
  await terminal.until((screen) => screen.includes('○ google'))
  await terminal.press('Down', 'Enter')
  await terminal.until((screen) => screen.includes('it is not shown'))
  await terminal.type('sk secret')
  await terminal.press('Enter')
  const refused = await terminal.until((screen) => screen.includes('that is no key'))
  await terminal.type(KEY)
  // A key at the place of the cursor would show what it stands on.
  await terminal.press('Left', 'Left', 'Enter')
  const ended = await terminal.until((screen) => screen.includes('exit='))
  expect(ended).toContain('exit=0')
  for (const screen of [refused, ended]) expect(screen).not.toMatch(/sk|secret|abcdef|•|\*/)
  expect(JSON.parse(await readFile(home.note('openai'), 'utf8'))).toEqual({ in: 'file', key: KEY })
})

test.runIf(hasTmux)('who leaves the question has kept nothing: 130', async () => {
  const home = await keysHome()
  const terminal = await openTerminal(`"${process.execPath}" "${CLI_MAIN}" login openai`, {
    env: { ...ownEnv(), ...home.env },
  })
  await terminal.until((screen) => screen.includes('it is not shown'))
  await terminal.press('C-c')
  const ended = await terminal.until((screen) => screen.includes('exit='))
  expect(ended).toContain('Nothing was kept.\nexit=130')
  expect(existsSync(home.note('openai'))).toBe(false)
})

test.runIf(hasTmux)(
  'a terminal that nothing can be asked in is refused: what is typed would be seen',
  async () => {
    const home = await keysHome()
    const terminal = await openTerminal(`"${process.execPath}" "${CLI_MAIN}" login openai --json`, {
      env: { ...ownEnv(), ...home.env },
    })
    const ended = await terminal.until((screen) => screen.includes('exit='))
    expect(ended.replaceAll('\n', '')).toContain('a key would be seen here: give it on standard input')
    expect(ended).toContain('exit=2')
  },
)
