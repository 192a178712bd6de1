import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, inject, onTestFinished, test } from 'vitest'
import { type CommandOptions, runCommand, startCommand } from '../support/command-line.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack()

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'devflow-cli-up-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}

/** With these, only API and worker are started. */
const given = () => ({
  DATABASE_URL: stack.databaseUrl,
  TEMPORAL_ADDRESS: inject('temporalAddress'),
  TEMPORAL_NAMESPACE: stack.client.options.namespace ?? 'default',
})

/** Runs `devflow up` that is refused; it may not have made its data folder. */
async function refused(args: string[], options?: CommandOptions) {
  const data = join(await newFolder(), 'data')
  const { code, stdout, stderr } = await runCommand(['up', '--data', data, '--port', '0', ...args], options)
  expect([stdout, existsSync(data)]).toEqual(['', false])
  return { code, stderr }
}

test.each(['--entries', '--workspace-root'])('%s that is no folder is bad usage: 2', async (option) => {
  const prose = await refused([option, '/nonexist'])
  expect(prose).toEqual({
    code: 2,
    stderr: expect.stringContaining(`${option}: there is no folder /nonexist`),
  })
  const { code, stderr } = await refused([option, '/nonexist', '--json'])
  expect([code, JSON.parse(stderr)]).toMatchObject([2, { error: { kind: 'INVALID', code: 'bad_usage' } }])
})

test('--data that is a file, or lies under one, is bad usage: 2', async () => {
  const file = join(await newFolder(), 'file')
  await writeFile(file, '')
  for (const data of [file, join(file, 'data')]) {
    const { code, stdout, stderr } = await runCommand(['up', '--data', data, '--port', '0'])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(`--data: ${file} is no folder`)
  }
})

test('a host that others can reach needs a token: 2', async () => {
  const open = await refused(['--host', '0.0.0.0'])
  expect(open.code).toBe(2)
  expect(open.stderr).toMatch(/--host 0\.0\.0\.0 .*--token or DEVFLOW_TOKEN/)
  const short = { code: 2, stderr: expect.stringContaining('at least 20 characters') }
  expect(await refused(['--host', '0.0.0.0', '--token', 'abc'])).toEqual(short)
  expect(await refused([], { env: { DEVFLOW_TOKEN: 'abc' } })).toEqual(short)
})

test('--token is what the API of `devflow up` asks for', async () => {
  const token = 'a-token-of-twenty-or-more'
  const args = [
    'up',
    '--data',
    await newFolder(),
    '--port',
    '0',
    '--host',
    '0.0.0.0',
    '--no-sample',
    '--json',
  ]
  const up = startCommand([...args, '--token', token], { env: given() })
  await up.until('"event":"ready"')
  const [, url = ''] = /"api":"([^"]+)"/.exec(up.printed()) ?? []
  const list = (...options: string[]) => runCommand(['runs', 'list', '--url', url, ...options])
  expect(await list()).toMatchObject({ code: 1, stderr: expect.stringContaining('unauthenticated') })
  expect((await list('--token', token)).code).toBe(0)
  up.signal('SIGTERM')
  expect((await up.ended).code).toBe(0)
})

test('doctor tells what the running stack was started with', async () => {
  const key = 'sk-ant-of-nobody-at-all'
  const data = await newFolder()
  const args = ['up', '--data', data, '--port', '0', '--no-sample', '--unsandboxed-commands']
  const up = startCommand(args, { env: { ...given(), ANTHROPIC_API_KEY: key } })
  await up.until('Devflow is ready')
  expect(await readFile(join(data, 'up.json'), 'utf8')).not.toContain(key)
  const doctor = await runCommand(['doctor', '--json', '--data', data], { env: { OPENAI_API_KEY: 'ours' } })
  const { checks } = JSON.parse(doctor.stdout)
  expect(checks).toContainEqual({ id: 'provider', status: 'ok', detail: 'set up: anthropic' })
  const told = expect.stringContaining('WITHOUT a sandbox (--unsandboxed-commands)')
  expect(checks).toContainEqual({ id: 'sandbox', status: 'note', detail: told, fix: expect.any(String) })
  up.signal('SIGTERM')
  expect((await up.ended).code).toBe(0)
})

const NOWHERE = 'postgres://nobody:hunter2hunter2@127.0.0.1:1/none'

test.each([
  ['DATABASE_URL', ['up', '--port', '0']],
  ['DATABASE_URL', ['migrate']],
  ['DATABASE_URL', ['rebuild', '--check']],
  ['TEMPORAL_ADDRESS', ['up', '--port', '0']],
])('a server that is away is named by its variable: %s with %j ends with 5', async (variable, command) => {
  const env = { ...given(), [variable]: variable === 'DATABASE_URL' ? NOWHERE : '127.0.0.1:1' }
  const code = variable === 'DATABASE_URL' ? 'database_unreachable' : 'temporal_unreachable'
  const args = [...command, '--data', join(await newFolder(), 'data')]
  const prose = await runCommand(args, { env })
  expect([prose.code, prose.stdout]).toEqual([5, ''])
  expect(prose.stderr).toMatch(
    new RegExp(`UNAVAILABLE ${code}\n.*${variable} names \\(127\\.0\\.0\\.1:1\\).*\n→.*${variable}`),
  )
  expect(prose.stderr).not.toMatch(/hunter2|"level"|^\s+at /m)
  const json = await runCommand([...args, '--json'], { env })
  expect([json.code, JSON.parse(json.stderr)]).toMatchObject([5, { error: { kind: 'UNAVAILABLE', code } }])
})

test('an entry that is not valid is told, and the rest runs', async () => {
  const entries = await newFolder()
  await writeFile(join(entries, 'odd.yaml'), 'kind: template\nid: odd@1\ntitle: Odd\nphases: 7\n')
  const args = ['up', '--data', await newFolder(), '--port', '0', '--no-sample', '--entries', entries]
  const told = /an entry is not valid: phases: .*odd\.yaml:4/
  const prose = startCommand(args, { env: given() })
  await prose.until('Devflow is ready')
  prose.signal('SIGTERM')
  expect(await prose.ended).toMatchObject({ code: 0, stderr: expect.stringMatching(told) })
  const json = startCommand([...args, '--json'], { env: given() })
  await json.until('"event":"ready"')
  json.signal('SIGTERM')
  const { code, stderr, json: lines } = await json.ended
  expect([code, stderr]).toEqual([0, ''])
  expect(lines()).toContainEqual({ event: 'progress', text: expect.stringMatching(told) })
})
