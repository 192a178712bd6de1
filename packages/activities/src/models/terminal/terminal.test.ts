import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { collect, doneOf, failureOf, textOf } from '../conformance/harness.fixture.ts'
import type { Message, ModelEvent, ModelRequest } from '../model.ts'
import { type TerminalCommand, terminalModel } from './index.ts'
import { Terminal } from './tmux.ts'

const CLI = fileURLToPath(new URL('./cli.fixture.ts', import.meta.url))
const ENV = { PATH: process.env.PATH ?? '', HOME: tmpdir(), LANG: 'C.UTF-8' }
const missing = spawnSync('tmux', ['-V']).error !== undefined
if (missing) console.warn('tmux is not installed: the terminal is not tested')

const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('devflow-terminal-'))

const agent = (more: Partial<TerminalCommand> = {}, ...args: string[]): TerminalCommand => ({
  command: [process.execPath, CLI, ...args],
  ready: /^> $/m,
  busy: /esc to interrupt/,
  waiting: /Do you (?:want|trust)/,
  answers: [],
  answer: 'screen',
  env: ENV,
  limits: { settleMs: 150, startMs: 20_000, submitMs: 1_000, stallMs: 20_000, limitMs: 30_000 },
  ...more,
})

const request = (content: string, name = 'small'): ModelRequest => ({
  model: { provider: 'terminal', name },
  messages: [
    { role: 'system', content: 'You are a test.' },
    { role: 'user', content },
  ],
  tools: [],
  maxOutputTokens: 1000,
  sessionId: 'run/spec/1',
  phase: 'spec',
  attempt: 1,
  turn: 1,
})

const stream = (content: string, small: TerminalCommand, signal = new AbortController().signal) =>
  terminalModel({ small }).stream(request(content), signal)

const ask = (content: string, small = agent(), signal?: AbortSignal) =>
  collect(stream(content, small, signal))

/** Processes whose command line holds the text. */
const running = (text: string): number =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text)
    } catch {
      return false
    }
  }).length

describe.skipIf(missing).concurrent('a command-line agent in tmux', () => {
  // Nothing of a call outlives it: no folder, no tmux server, no agent.
  afterAll(async () => {
    await vi.waitFor(() => expect(running(CLI)).toBe(0), 2_000)
    expect(folders()).toEqual([])
  })

  test.each(['screen', 'file'] as const)('answers by the %s', async (answer) => {
    // It goes on once it was seen: what is only there for a moment may be missed.
    const steps = mkdtempSync(join(tmpdir(), 'devflow-steps-'))
    const small = agent({ answer }, '0', '--steps', steps)
    const events: ModelEvent[] = []
    for await (const event of stream('Go. [answer={"spec":"é 👋"}]', small)) {
      events.push(event)
      if (event.kind !== 'thinking') continue
      if (event.text.includes('starting')) writeFileSync(join(steps, 'begin'), '')
      if (event.text.includes('busy')) writeFileSync(join(steps, 'answer'), '')
    }
    rmSync(steps, { recursive: true })
    expect(doneOf(events)).toMatchObject({
      finish: 'stop',
      content: '{"spec":"é 👋"}',
      toolCalls: [],
      modelUsed: 'small',
    })
    expect(textOf(events, 'token')).toBe('{"spec":"é 👋"}')
    expect(textOf(events, 'thinking')).toBe(
      'small is starting\nsmall is ready\nsmall is busy\nsmall is ready\n',
    )
    expect(events.filter(({ kind }) => kind === 'usage')).toEqual([])
  })

  test('answers at a length that scrolls away', async () => {
    const { content } = doneOf(await ask('Go. [answer=first] [lines=300]'))
    expect(content.split('\n')).toHaveLength(301)
    expect(content).toMatch(/^first\nline 0\n[\s\S]*\nline 299$/)
  })

  test('takes a long prompt of many lines as one', async () => {
    const long = Array.from({ length: 2_000 }, (_, n) => `- point ${n} of the task`).join('\n')
    expect(doneOf(await ask(`${long}\n[answer=read]`)).content).toBe('read')
  })

  test('is sent its prompt again when it missed the Enter', async () => {
    const events = await ask('Go.', agent({}, '0', '--deaf'))
    expect(doneOf(events).content).toBe('All is well.')
    expect(textOf(events, 'thinking')).toContain('recovered: sent again 1,')
  })

  test('is asked for an answer it forgot', async () => {
    const events = await ask('Go. [forget]')
    expect(doneOf(events).content).toBe('All is well.')
    expect(textOf(events, 'thinking')).toContain('asked for the answer 1')
  })

  test('has known questions answered', async () => {
    const answers = [{ when: /Do you trust this folder/, keys: ['Enter'] }]
    const events = await ask('Go.', agent({ answers }, '0', '--trust'))
    expect(doneOf(events).content).toBe('All is well.')
    expect(textOf(events, 'thinking')).toContain('questions answered 1')
  })

  test.each<[string, string, TerminalCommand, object]>([
    [
      'asks what only a person can answer',
      'Go. [ask]',
      agent(),
      { kind: 'PERMISSION_DENIED', code: 'terminal_waiting', retryable: false, billed: 'unknown' },
    ],
    [
      'dies at work',
      'Go. [die]',
      agent(),
      { kind: 'UNAVAILABLE', code: 'terminal_died', retryable: true, billed: 'unknown' },
    ],
    [
      'is not there',
      'Go.',
      agent({ command: ['/no/such/agent'] }),
      { kind: 'UNAVAILABLE', code: 'terminal_died', billed: 'no' },
    ],
    [
      'does not start',
      'Go.',
      agent({ limits: { ...agent().limits, startMs: 300 } }, '60000'),
      { code: 'terminal_not_ready', billed: 'no' },
    ],
    [
      'stands still',
      'Go. [hang]',
      agent({ limits: { ...agent().limits, stallMs: 400 } }),
      { kind: 'TIMEOUT', code: 'provider_stalled', billed: 'unknown' },
    ],
    [
      'takes too long',
      'Go. [hang]',
      agent({ limits: { ...agent().limits, limitMs: 1_500 } }),
      { kind: 'TIMEOUT', code: 'provider_timeout' },
    ],
  ])('that %s is a failure, with what its screen said', async (_, prompt, small, expected) => {
    const failure = await failureOf(ask(prompt, small))
    expect(failure).toMatchObject(expected)
    if (expected && 'code' in expected && expected.code === 'terminal_waiting')
      expect(failure.message).toContain('Do you want to proceed?')
  })

  test('that is aborted is killed within 2 s, with what it started', async () => {
    const controller = new AbortController()
    const stream = terminalModel({ small: agent() }).stream(request('Go. [child] [hang]'), controller.signal)
    let aborted = 0
    const run = (async () => {
      for await (const event of stream)
        if (event.kind === 'thinking' && event.text === 'small is busy\n') {
          await vi.waitFor(() => expect(running('sleep\u0000600.25')).toBe(1), 5_000)
          aborted = performance.now()
          controller.abort(new Error('stopped by a person'))
        }
    })()
    await expect(run).rejects.toThrow('stopped by a person')
    expect(performance.now() - aborted).toBeLessThan(2_000)
    expect(running('sleep\u0000600.25')).toBe(0)
  })

  test('whose listener leaves is killed too', async () => {
    const adapter = terminalModel({ small: agent({}, '0', '--to-be-left') })
    for await (const event of adapter.stream(request('Go. [hang]'), new AbortController().signal))
      if (event.kind === 'thinking' && event.text === 'small is busy\n') break
    expect(running('--to-be-left')).toBe(0)
  })

  test('that a dead worker left behind is ended by the next', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'devflow-terminal-'))
    await new Terminal(folder, ENV).start([process.execPath, CLI, '0', '--orphan'], folder)
    expect(running('--orphan')).toBeGreaterThan(0)
    const dead = spawnSync('true').pid
    writeFileSync(join(folder, 'owner'), `${hostname()} ${dead}`)
    await ask('Go.')
    expect(running('--orphan')).toBe(0)
    expect(folders()).not.toContain(basename(folder))
  })

  test('sees nothing of the worker’s environment but what it is given', async () => {
    const command: [string, ...string[]] = ['env']
    const failure = await failureOf(ask('Go.', agent({ command, env: { ...ENV, GIVEN: 'yes' } })))
    expect(failure.code).toBe('terminal_died')
    const folder = mkdtempSync(join(tmpdir(), 'dt-'))
    mkdirSync(join(folder, 'out'))
    const terminal = new Terminal(folder, { ...ENV, GIVEN: 'yes' })
    await terminal.start(['sh', '-c', `env > ${folder}/out/env; sleep 60`], folder)
    await vi.waitFor(
      () => expect(readFileSync(join(folder, 'out/env'), 'utf8')).toContain('GIVEN=yes'),
      5_000,
    )
    await terminal.end()
    expect(readFileSync(join(folder, 'out/env'), 'utf8')).not.toMatch(/DEVFLOW|VITEST|NODE_/)
  })
})

test('a terminal the operator has not described cannot be named', async () => {
  const messages: Message[] = [{ role: 'user', content: 'Go.' }]
  const adapter = terminalModel({ small: agent() })
  const named = { ...request('Go.', 'constructor'), messages }
  const failure = await failureOf(collect(adapter.stream(named, new AbortController().signal)))
  expect(failure).toMatchObject({
    kind: 'NOT_FOUND',
    code: 'provider_model_not_found',
    retryable: false,
    billed: 'no',
  })
  expect(failure.message).toContain('DEVFLOW_TERMINALS describes small')
})

test('without tmux it says what is needed', async () => {
  const empty = mkdtempSync(join(tmpdir(), 'dt-'))
  const adapter = terminalModel({ small: agent({ env: { PATH: empty } }) })
  const failure = await failureOf(collect(adapter.stream(request('Go.'), new AbortController().signal)))
  expect(failure).toMatchObject({ code: 'terminal_without_tmux', retryable: false, billed: 'no' })
})
