import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, inject, onTestFinished, test } from 'vitest'
import { runCommand } from '../support/command-line.ts'
import { otherServer } from '../support/other-server.ts'
import { useCommandStack } from './stack.ts'

const devflow = useCommandStack()

interface Diagnosis {
  ok: boolean
  checks: { id: string; status: string; detail: string; fix?: string }[]
}

async function examine(env: Record<string, string>, ...args: string[]) {
  const cwd = await mkdtemp(join(tmpdir(), 'devflow-doctor-'))
  onTestFinished(() => rm(cwd, { recursive: true, force: true }))
  const { code, stdout, stderr } = await runCommand(['doctor', '--json', ...args], { cwd, env })
  expect(stderr).toBe('')
  const diagnosis = JSON.parse(stdout) as Diagnosis
  const of = Object.fromEntries(diagnosis.checks.map((check) => [check.id, check]))
  return { code, diagnosis, of }
}

test('a stack that is well passes 9 checks', async () => {
  const { code, diagnosis, of } = await examine({
    DEVFLOW_URL: devflow.url,
    DATABASE_URL: devflow.stack.databaseUrl,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    OPENROUTER_API_KEY: 'sk-or-v1-test-key',
  })
  expect(diagnosis.checks.map(({ id, status }) => `${id} ${status}`)).toEqual([
    'node ok',
    'git ok',
    'sandbox ok',
    'data ok',
    'postgres ok',
    'temporal ok',
    'api ok',
    'workers ok',
    'provider ok',
  ])
  expect([code, diagnosis.ok]).toEqual([0, true])
  expect(of.postgres?.detail).toMatch(/^\d+\.\d+ at 127\.0\.0\.1:\d+, migrations up to date$/)
  expect(of.temporal?.detail).toMatch(/^\d+\.\d+\.\d+ at 127\.0\.0\.1:\d+$/)
  expect(JSON.stringify(diagnosis)).not.toContain(
    new URL(devflow.stack.databaseUrl).password || 'no password',
  )
})

test('the key of any provider counts', async () => {
  for (const [variable, provider] of [
    ['OPENAI_API_KEY', 'openai'],
    ['ANTHROPIC_API_KEY', 'anthropic'],
    ['GEMINI_API_KEY', 'google'],
    ['OLLAMA_HOST', 'ollama'],
    ['OPENAI_COMPATIBLE_DEEP_SEEK_BASE_URL', 'openai-compatible'],
  ] as const) {
    const { of } = await examine({ DEVFLOW_URL: 'http://127.0.0.1:1', [variable]: 'a-value' })
    expect(of.provider).toEqual({ id: 'provider', status: 'ok', detail: `set up: ${provider} (environment)` })
  }
})

test('with nothing running the API is what fails; what needs it is skipped', async () => {
  const { code, of } = await examine({ DEVFLOW_URL: 'http://127.0.0.1:1' })
  expect(code).toBe(1)
  expect(of.api).toMatchObject({ status: 'failed', fix: expect.stringContaining('devflow up') })
  for (const id of ['postgres', 'temporal', 'workers']) expect(of[id]?.status).toBe('skipped')
  expect(of.provider).toMatchObject({ status: 'note', fix: expect.stringContaining('OPENROUTER_API_KEY') })
})

test('each part that is away is named with its fix', async () => {
  const { code, of } = await examine({
    DEVFLOW_URL: devflow.url,
    DATABASE_URL: 'postgres://nobody:hunter2hunter2@127.0.0.1:1/none',
    TEMPORAL_ADDRESS: '127.0.0.1:1',
  })
  expect(code).toBe(1)
  expect(of.postgres).toMatchObject({ status: 'failed', fix: expect.stringContaining('DATABASE_URL') })
  expect(of.postgres?.detail).not.toContain('hunter2')
  expect(of.temporal).toMatchObject({ status: 'failed', fix: expect.stringContaining('TEMPORAL_ADDRESS') })
  expect(of.api?.status).toBe('ok')
})

test('a database without migrations says so', async () => {
  const url = new URL(inject('databaseUrl'))
  url.pathname = '/postgres'
  const { of } = await examine({ DEVFLOW_URL: devflow.url, DATABASE_URL: url.href })
  expect(of.postgres).toMatchObject({
    status: 'failed',
    detail: expect.stringMatching(/^\d+ migrations are not applied$/),
  })
})

test('what answers may be another program, and what is asked no Temporal', async () => {
  const url = await otherServer((_, response) => response.end('hello'))
  const { of } = await examine({ DEVFLOW_URL: url, TEMPORAL_ADDRESS: new URL(url).host })
  expect(of.api).toMatchObject({ status: 'failed', detail: expect.stringContaining('no Devflow') })
  expect(of.temporal?.status).toBe('failed')
})

test('git may be missing, the data folder not writable', async () => {
  const env = { DEVFLOW_URL: devflow.url, PATH: '/nonexistent' }
  const { code, of } = await examine(env, '--data', '/proc/nothing')
  expect(code).toBe(1)
  expect(of.git).toMatchObject({ status: 'failed', fix: expect.stringContaining('install git') })
  expect(of.data).toMatchObject({ status: 'failed', fix: expect.stringContaining('--data') })
})
