import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, inject, onTestFinished, test } from 'vitest'
import { startCommand } from '../support/command-line.ts'
import { otherServer } from '../support/other-server.ts'
import { useStack } from '../support/stack.ts'
import { type KeysHome, keysHome } from './keys-home.ts'

const stack = useStack()

const KEY = 'sk-or-v1-kept-by-devflow-login'

/** `devflow up` with API and worker of its own, on the Postgres and Temporal of the tests. */
async function startUp(home: KeysHome, env: Record<string, string>) {
  const data = join(home.folder, 'data')
  const given = {
    DATABASE_URL: stack.databaseUrl,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: stack.client.options.namespace ?? 'default',
  }
  const args = ['up', '--data', data, '--port', '0', '--no-sample', '--json']
  const up = startCommand(args, { env: { ...home.env, ...given, ...env } })
  onTestFinished(async () => {
    up.signal('SIGTERM')
    await up.ended
  })
  await up.until('"event":"ready"')
  const lines = up
    .printed()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
  const { api, providers } = lines.find(({ event }) => event === 'ready')
  return {
    api,
    providers,
    data,
    lines,
    stop: async () => {
      up.signal('SIGTERM')
      return await up.ended
    },
  }
}

/** What a run by the personas of OpenRouter would come to. */
async function preview(api: string) {
  const response = await fetch(`${api}/v1/runs/preview`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ template: 'spec-and-review@1', input: { request: 'Say what this is' } }),
  })
  return { status: response.status, text: await response.text() }
}

test('devflow up hands a kept key to API and worker, and shows it nowhere', async () => {
  const home = await keysHome()
  const called = Promise.withResolvers<string | undefined>()
  // The worker reads the price list with its key.
  const openrouter = await otherServer((request, response) => {
    called.resolve(request.headers.authorization)
    response.end('{"data":[]}')
  })
  // As often as it can: another worker may just have read it.
  const env = { OPENROUTER_BASE_URL: openrouter, DEVFLOW_PRICING_REFRESH_MS: '1' }
  await home.run('login openrouter', { stdin: KEY })
  const up = await startUp(home, env)
  expect(up.providers).toEqual(['openrouter'])
  expect(await called.promise).toBe(`Bearer ${KEY}`)
  expect((await preview(up.api)).status).toBe(200)

  await home.run('login anthropic', { stdin: 'sk-ant-kept-later' })
  const doctor = await home.run(`doctor --json --data ${up.data} --url ${up.api}`)
  expect(JSON.parse(doctor.stdout).checks).toContainEqual({
    id: 'provider',
    status: 'note',
    detail: 'set up: openrouter; kept since: anthropic',
    fix: expect.stringContaining('restart devflow up'),
  })
  const { code, stdout, stderr } = await up.stop()
  expect(code).toBe(0)
  const files = ['up.json', ...(await readdir(join(up.data, 'logs'))).map((name) => join('logs', name))]
  const written = await Promise.all(files.map((file) => readFile(join(up.data, file), 'utf8')))
  for (const text of [stdout, stderr, doctor.stdout, ...written]) expect(text).not.toContain('sk-')
})

test('doctor says where a key comes from, and what hinders it', async () => {
  const home = await keysHome()
  await home.run('login openrouter', { stdin: KEY })
  const provider = async (env: Record<string, string>) => {
    const options = { env: { DEVFLOW_URL: 'http://127.0.0.1:1', ...env }, cwd: home.folder }
    const { checks } = JSON.parse((await home.run('doctor --json', options)).stdout)
    return checks.find(({ id }: { id: string }) => id === 'provider')
  }
  expect(await provider({ OPENAI_API_KEY: 'a-value' })).toEqual({
    ...{ id: 'provider', status: 'ok' },
    detail: 'set up: openai (environment), openrouter (file)',
  })
  expect(await provider({ OPENROUTER_API_KEY: 'a-value' })).toMatchObject({
    detail: 'set up: openrouter (environment)',
  })
  await home.run('logout openrouter')
  expect(await provider({})).toMatchObject({
    status: 'note',
    fix: expect.stringMatching(/devflow login openrouter .* OPENROUTER_API_KEY/),
  })
})
