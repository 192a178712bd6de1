import { spawnSync } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readArtifact } from '@devflow/db'
import { type ProviderReply, startFakeAnthropic, startFakeGoogle, startFakeOllama } from '@devflow/testing'
import { afterAll, expect, test } from 'vitest'
import { smallRepository } from '../support/repository.ts'
import { eventsOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { NOTE } from '../support/templates.ts'

const KEYS = { anthropic: 'sk-ant-secret-of-the-test', google: 'AIza-secret-of-the-test' }
const CLI = fileURLToPath(
  new URL('../../packages/activities/src/models/terminal/cli.fixture.ts', import.meta.url),
)
const fakes = await Promise.all([startFakeAnthropic(), startFakeGoogle(), startFakeOllama()])
const [anthropic, google, ollama] = fakes
afterAll(() => Promise.all(fakes.map((fake) => fake.close())))

const AGENT = { command: [process.execPath, CLI], ready: '^> $', busy: 'esc to interrupt', settleMs: 150 }

const stack = useStack({
  ANTHROPIC_API_KEY: KEYS.anthropic,
  ANTHROPIC_BASE_URL: anthropic.baseURL,
  GEMINI_API_KEY: KEYS.google,
  GEMINI_BASE_URL: google.baseURL,
  OLLAMA_HOST: ollama.baseURL,
  DEVFLOW_TERMINALS: JSON.stringify({
    small: AGENT,
    editor: { ...AGENT, workspace: true },
  }),
})

/** Looks around once, having thought about it, and completes. */
const looksAndCompletes = (n: number): ProviderReply => {
  const usage = { input: 1_000, cached: 800, cacheWritten: 0, output: 50 }
  return n === 1
    ? {
        thinking: 'Where am I?',
        seal: 'sealed+/=',
        text: 'I look.',
        toolCalls: [{ name: 'list_dir', arguments: { path: '.' } }],
        usage,
      }
    : { toolCalls: [{ name: 'complete', arguments: { content: NOTE } }], usage }
}

const template = (provider: string, name: string, more = '') => `
kind: template
id: one@1
budget: { limitMicroUsd: 10000000 }
roles: { worker: { persona: worker@1 } }
artifacts: { note: { schema: note@1 } }
phases:
  - { id: work, agent: { role: worker, prompt: 'Work. ${more}', produces: note } }
---
${JSON.stringify({ kind: 'persona', id: 'worker@1', model: { provider, name }, tools: ['list_dir', 'complete'] })}
`

const callsOf = async (run: string) =>
  (
    await stack.pool.query(
      `select provider, status, cost_micro_usd::float as cost, cost_source as source, input_tokens::int as input, cached_tokens::int as cached, output_tokens::int as output
       from devflow.model_calls where run_id = $1 order by at`,
      [run],
    )
  ).rows

test('Claude works through a run: its thinking goes back sealed, its cost is that of the price list', async () => {
  anthropic.script(({ n }) => {
    const reply = looksAndCompletes(n)
    return { ...reply, usage: { input: 1_000, cached: 800, cacheWritten: 100, output: 50 } }
  })
  const end = await stack.finish(template('anthropic', 'claude-sonnet-5-5'))
  expect(end).toMatchObject({ status: 'completed', error: null })
  // (1,000 − 800 − 100) × 2 + 800 × 0.1 + 100 × 2.5 + 50 × 10 micro-dollars.
  const call = {
    provider: 'anthropic',
    status: 'settled',
    cost: 1030,
    source: 'pricing',
    input: 1_000,
    cached: 800,
    output: 50,
  }
  expect(await callsOf(end.id)).toEqual([call, call])
  // The stand-in refuses thinking that was changed; and nothing of the key is on record.
  expect(JSON.stringify(anthropic.requests[1]?.body.messages)).toContain('sealed+/=')
  expect(JSON.stringify(end)).not.toContain(KEYS.anthropic)
})

test('Gemini works through a run, with its signatures', async () => {
  google.script(({ n }) => looksAndCompletes(n))
  const end = await stack.finish(template('google', 'gemini-3.8-flash'))
  expect(end).toMatchObject({ status: 'completed', error: null })
  const call = {
    provider: 'google',
    status: 'settled',
    cost: 937.5,
    source: 'pricing',
    input: 1_000,
    cached: 800,
    output: 50,
  }
  expect(await callsOf(end.id)).toEqual([call, call])
  expect(JSON.stringify(google.requests[1]?.body.contents)).toContain('sealed+/=')
  expect(JSON.stringify(end)).not.toContain(KEYS.google)
})

test('a model on one’s own machine works through a run, and costs nothing', async () => {
  ollama.script(({ n }) => looksAndCompletes(n))
  const end = await stack.finish(template('ollama', 'qwen3'))
  expect(end).toMatchObject({ status: 'completed', error: null })
  expect(await callsOf(end.id)).toMatchObject([
    { status: 'settled', cost: 0, source: 'pricing', input: 1_000 },
    { status: 'settled', cost: 0, source: 'pricing' },
  ])
})

test('a command-line agent answers a phase; what it used is not known', async ({ skip }) => {
  if (spawnSync('tmux', ['-V']).error) {
    console.warn('tmux is not installed: no terminal is tested')
    return skip('tmux is not installed')
  }
  const end = await stack.finish(template('terminal', 'small', `[answer=${JSON.stringify(NOTE)}]`))
  expect(end).toMatchObject({ status: 'completed', error: null })
  expect(eventsOf(end, 'artifact.accepted')).toHaveLength(1)
  expect(await callsOf(end.id)).toMatchObject([{ provider: 'terminal', status: 'unsettled', cost: null }])
})

test('a terminal that the operator does not know fails the phase, and names those he does', async () => {
  const end = await stack.finish(template('terminal', 'rm'))
  expect(end.error).toMatchObject({ kind: 'NOT_FOUND', code: 'provider_model_not_found' })
  expect(end.error?.message).toContain('small')
})

test('a command-line agent works in the clone of its session: what it changed is kept with its turn', async ({
  skip,
}) => {
  if (spawnSync('tmux', ['-V']).error) return skip('tmux is not installed')
  const repo = await smallRepository()
  try {
    const part = (id: string, role: string) =>
      `  - { id: ${id}, agent: { role: ${role}, prompt: 'Work. [write=${id}.txt] [answer=Done.]' } }`
    const persona = (id: string, tools: string[]) =>
      JSON.stringify({ kind: 'persona', id, model: { provider: 'terminal', name: 'editor' }, tools })
    const run = await stack.submit(
      `
kind: template
id: edits@1
roles: { editor: { persona: editor@1 }, reader: { persona: reader@1 } }
phases:
${part('first', 'editor')}
  - { id: look, gate: { title: Look, subject: [], approvers: [owner] } }
${part('reading', 'reader')}
${part('second', 'editor')}
---
${persona('editor@1', ['read_file', 'write_file'])}
---
${persona('reader@1', ['read_file'])}
`,
      { workspace: { repo } },
    )
    await stack.untilEvent(run, 'gate.opened')
    // Another worker takes over, with nothing of the first one's disk.
    await stack.stopWorker()
    await stack.decide(run, 'look')
    await stack.startWorker({ DEVFLOW_DATA: join(stack.dataDir, 'other') })
    const end = await stack.untilStatus(run, 'completed', 'failed')
    expect(end).toMatchObject({ status: 'completed', error: null })
    const kept = eventsOf(end, 'workspace.snapshot')
    expect(kept.map(({ phase, turn }) => [phase, turn])).toEqual([
      ['first', 1],
      ['second', 1],
    ])
    // Its turn and the files are on record at once: the files first, then the end of the phase.
    const types = end.types.slice(end.types.indexOf('workspace.snapshot'))
    expect(types.slice(0, 3)).toEqual(['workspace.snapshot', 'turn.completed', 'phase.completed'])
    const diff = await readArtifact(stack.pool, run, 'changes.diff')
    expect(diff?.content.toString()).toContain('+.git README.md add.js first.txt')
    expect(diff?.content.toString()).not.toContain('reading.txt')
  } finally {
    await rm(repo, { recursive: true, force: true })
  }
})
