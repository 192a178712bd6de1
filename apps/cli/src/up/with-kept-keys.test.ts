import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { readConfig } from '../config.ts'
import { wordsIn } from '../messages/languages.ts'
import { withKeptKeys } from './with-kept-keys.ts'

let settings: string

beforeEach(() => {
  settings = mkdtempSync(join(tmpdir(), 'devflow-kept-'))
  onTestFinished(() => rmSync(settings, { recursive: true, force: true }))
})

function note(provider: string, content: string): void {
  const folder = join(settings, 'devflow', 'keys')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${provider}.json`), content)
}

/** What children get in their environment, and what is said of keys. */
async function started(env: Record<string, string> = {}) {
  const told: string[] = []
  const asked = readConfig({ XDG_CONFIG_HOME: settings, DEVFLOW_KEYRING: 'off', ...env })
  const config = await withKeptKeys(asked, wordsIn('en'), (text) => told.push(text))
  return { asked, config, told }
}

test('where no key was ever kept the configuration is as it was', async () => {
  const { asked, config, told } = await started({ OPENAI_API_KEY: 'set' })
  expect(config).toBe(asked)
  expect(told).toEqual([])
})

test('kept keys stand as if they were in the environment', async () => {
  note('openrouter', '{"in":"file","key":"sk-or-kept"}')
  const { config, told } = await started({ OPENROUTER_API_KEY: '' })
  expect([config.env.OPENROUTER_API_KEY, config.hasModelKey]).toEqual(['sk-or-kept', true])
  expect([config.modelProviders, told]).toEqual([['openrouter'], []])
})

test('what is set wins, also by another name of the same key', async () => {
  note('openrouter', '{"in":"file","key":"sk-or-kept"}')
  note('google', '{"in":"file","key":"kept"}')
  const { config } = await started({ OPENROUTER_API_KEY: 'sk-or-set', GEMINI_API_KEY: 'set' })
  expect(config.env.OPENROUTER_API_KEY).toBe('sk-or-set')
  // It would come before GEMINI_API_KEY where both are.
  expect(config.env.GOOGLE_API_KEY).toBeUndefined()
})

test('a key that cannot be had is told, and hinders no other', async () => {
  note('openai', '{"in":"keyring"}')
  note('anthropic', 'sk-ant-by-hand')
  note('google', '{"in":"file","key":"kept"}')
  const { config, told } = await started()
  expect(config.modelProviders).toEqual(['google'])
  expect(told).toEqual([
    expect.stringMatching(
      /^The key that was kept for openai is not used: the keyring .*DEVFLOW_KEYRING is off/,
    ),
    expect.stringMatching(/^The key that was kept for anthropic is not used: .*anthropic\.json is not as/),
  ])
  expect(told.join()).not.toContain('sk-ant')
})
