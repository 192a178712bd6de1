import { testDatabase } from '@devflow/db/testing'
import { expect, onTestFinished, test } from 'vitest'
import { runCommand } from '../support/command-line.ts'

const NODE_OPTIONS = `--import=${new URL('../support/tell-loaded.mjs', import.meta.url)}`
const NOWHERE = ['--url', 'http://127.0.0.1:9']

/** How many modules of which packages a command loads; those of this project by their folder. */
async function loadedBy(args: readonly string[], env = {}): Promise<Record<string, number>> {
  const { stderr } = await runCommand(args, { env: { NODE_OPTIONS, ...env } })
  const told = /^loaded (.*)$/m.exec(stderr)?.[1]
  if (told === undefined) throw new Error(`nothing was told of modules:\n${stderr}`)
  return JSON.parse(told) as Record<string, number>
}

/** What takes modules by the dozen, or much time. */
const HEAVY = ['yaml', 'pino', '@clack/prompts', '@napi-rs/keyring', 'pg', 'drizzle-orm', 'packages/db']

test.each([
  ['the version', ['--version']],
  ['help', ['--help']],
  ['help of a command', ['runs', 'list', '--help']],
  ['completion', ['completion', 'bash']],
  ['a refused command line', ['runs', 'list', '--limit', 'many']],
  ['a command that there is not', ['frobnicate', '--help']],
])('%s needs the declarations of commands, their words and no more', async (_, args) => {
  const loaded = await loadedBy(args)
  const apart = ['commander', 'fast-string-truncated-width', 'fast-string-width', 'fast-wrap-ansi']
  const packages = Object.keys(loaded).filter((name) => !apart.includes(name))
  expect(packages.sort()).toEqual(['apps/cli', 'packages/contracts'])
  // The lists to choose from, and the class of errors.
  expect(loaded['packages/contracts']).toBeLessThanOrEqual(2)
})

test.each([
  ['runs', 'list'],
  ['runs', 'show', 'last', '--follow'],
  ['run', 'code-review', '--input', 'change=1'],
  ['approve', 'last'],
  ['triggers', 'list'],
  ['registry', 'history'],
])('a command that calls the API loads nothing that others need: %s %s', async (...args) => {
  const loaded = await loadedBy([...args, ...NOWHERE])
  expect(loaded).toMatchObject({ 'packages/client': expect.any(Number), zod: expect.any(Number) })
  expect(Object.keys(loaded).filter((name) => HEAVY.includes(name))).toEqual([])
  // How far processes give way is told by one module of the local stack, and the environment read by one of what processes share.
  expect(loaded).toMatchObject({ 'packages/local-stack': 1, 'packages/process': 1 })
})

test('a database that has all migrations is not migrated by what applies them', async () => {
  const { url, close } = await testDatabase()
  onTestFinished(close)
  const loaded = await loadedBy(['migrate'], { DATABASE_URL: url })
  expect(Object.keys(loaded)).toContain('pg')
  expect(Object.keys(loaded)).not.toContain('drizzle-orm')
})
