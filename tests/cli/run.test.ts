import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { runCommand } from '../support/command-line.ts'
import { smallRepository } from '../support/repository.ts'
import { runInShell } from '../support/shell-line.ts'
import { useCommandStack } from './stack.ts'

const devflow = useCommandStack()

interface Run {
  id: string
  status: string
  input: unknown
  labels: Record<string, string>
  budget: { limitMicroUsd?: number }
  workspace?: { repo: string; base?: string }
}

test('a run that completes is told step by step and ends with 0', async () => {
  const { code, stdout, stderr } = await devflow.run('run', 'works@1', '--yes')
  expect(stderr).toBe('')
  expect(code).toBe(0)
  const lines = stdout.replace(/\d\d:\d\d:\d\d/g, 'HH:MM:SS').split('\n')
  expect(lines.slice(0, 3)).toEqual([
    'What it may cost',
    expect.stringMatching(/^PHASE +BY +MODEL +TOKENS +COST$/),
    expect.stringMatching(/^work +agent@1 +deepseek\/deepseek-chat +[\d,]+ +<\$0\.0001 to \$0\.\d+$/),
  ])
  expect(lines).toContainEqual(expect.stringMatching(/^Submitted [0-9a-f-]{36}$/))
  expect(lines).toContain('HH:MM:SS  work        started: agent@1')
  expect(lines).toContain('HH:MM:SS  work        used list_dir, complete')
  expect(lines).toContainEqual(
    expect.stringMatching(/^HH:MM:SS {2}work {8}completed: 2 turns, [\d,]+ tokens, \$0\.\d\d/),
  )
  expect(lines).toContainEqual(expect.stringMatching(/^The run completed\. .* tokens in, .* out · \$0\.\d\d/))
  expect(stdout).not.toContain('\u001b')
})

test('a run that fails ends with 1 and says why', async () => {
  const { code, stdout } = await devflow.run('run', 'fails@1')
  expect(code).toBe(1)
  expect(stdout).toContain('UNAVAILABLE overloaded: Too much to do.')
  expect(stdout).toMatch(/try it again {2}devflow runs retry [0-9a-f-]{36}/)
})

test('without a terminal a run that waits for a decision ends with 3 and says how to go on', async () => {
  const { code, stdout } = await devflow.run('run', 'asks@1')
  expect(code).toBe(3)
  const [, id] = /^Submitted (\S+)/m.exec(stdout) ?? []
  expect(stdout).toMatch(/^\? Is the note good\? {2}approve · 0 of 1 · (2d 23h|3d 0h) left$/m)
  expect(stdout).toContain(`devflow approve ${id} approve`)
  const approved = await devflow.run('approve', id ?? '', '--comment', 'Go on.')
  expect([approved.code, approved.stdout]).toEqual([0, 'You have approved approve.\n'])
  const shown = await devflow.run('runs', 'show', id ?? '', '--follow')
  expect(shown.code).toBe(0)
})

test('a run that somebody cancels ends with 4', async () => {
  const following = devflow.start(['run', 'waits@1'])
  await following.until('waiting')
  const [, id] = /^Submitted (\S+)/m.exec(following.printed()) ?? []
  expect((await devflow.run('runs', 'cancel', id ?? '', '--reason', 'enough')).code).toBe(0)
  const { code, stdout } = await following.ended
  expect(code).toBe(4)
  expect(stdout).toContain('The run was canceled.')
})

test('Ctrl-C leaves a run that goes on, and says how to come back', async () => {
  const following = devflow.start(['run', 'waits@1'])
  await following.until('waiting')
  following.signal('SIGINT')
  const { code, stdout } = await following.ended
  expect(code).toBe(130)
  const [, id = ''] = /runs show (\S+) --follow/.exec(stdout) ?? []
  expect(stdout).toContain('You have left; the run goes on without you.')
  expect((await devflow.json<Run>('runs', 'show', id)).status).toBe('waiting')
})

test('so does a reader of what it prints that has seen enough', async () => {
  const line = `devflow run asks@1 --label read=once | head -1; exit \${PIPESTATUS[0]}`
  const { code, stdout, stderr } = await runInShell(line, devflow.env)
  expect([code, stdout, stderr]).toEqual([141, 'What it may cost of $0.50\n', ''])
  const { items } = await devflow.json<{ items: Run[] }>('runs', 'list', '--label', 'read=once')
  const [{ id } = { id: '' }] = items
  await devflow.stack.untilStatus(id, 'waiting')
})

test('following goes on over a restart of the API', async () => {
  const following = devflow.start(['run', 'waits@1', '--json'])
  await following.until('"run.waiting"')
  const startAgain = await devflow.stopApi()
  const [, id = ''] = /"runId":"([^"]+)"/.exec(following.printed()) ?? []
  await devflow.stack.signal(id, 'go', 'once')
  await devflow.stack.untilStatus(id, 'completed')
  await startAgain()
  const { code, json } = await following.ended
  expect(code).toBe(0)
  const seqs = json().flatMap(({ event, record }) =>
    event === 'run' ? [(record as { seq: number }).seq] : [],
  )
  expect(seqs).toEqual(seqs.map((_, index) => index + 1))
  expect(json().at(-1)).toMatchObject({ event: 'end', status: 'completed' })
})

test('with nobody at the address it ends with 5 and says what to do', async () => {
  const env = { DEVFLOW_URL: 'http://127.0.0.1:1' }
  const { code, stderr } = await runCommand(['run', 'works@1'], { env })
  expect(code).toBe(5)
  expect(stderr).toMatch(/^✗ unavailable UNAVAILABLE unreachable\n.*127\.0\.0\.1:1/)
  expect(stderr).toContain('→ start one with `devflow up`')
  expect(stderr).not.toMatch(/^\s+at /m)
})

test.each([
  [['run'], /missing required argument 'template'/],
  [['run', 'works@1', '--input', 'novalue'], /novalue.* expected name=value/],
  [['run', 'works@1', '--budget', 'much'], /expected dollars, as in 0.50/],
  [['run', 'works@1', '--base', 'main'], /--base needs --repo/],
  [['run', 'works@1', '--input-file', '/does/not/exist'], /cannot be read as JSON or YAML/],
  [['run', 'works@1', '--frobnicate'], /unknown option '--frobnicate'/],
  [['runs', 'frob'], /unknown command 'frob'/],
  [['run', 'no-such-template@1'], /NOT_FOUND template_not_found/],
  [['run', 'asks@1', '--input', 'n=three'], /INVALID invalid_input[\s\S]*n/],
  [['runs', 'show', 'last', '--lang', 'xx'], /lang/],
])('%j is bad usage: 2', async (args, words) => {
  const { code, stderr, stdout } = await devflow.run(...args)
  expect(stderr).toMatch(words)
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).not.toMatch(/^\s+at /m)
})

test('a repository that is not there is named: 2', async () => {
  const repo = join(tmpdir(), 'devflow-cli-no-such-repository')
  const { code, stderr } = await devflow.run('run', 'works@1', '--repo', repo)
  expect([code, stderr]).toEqual([2, expect.stringContaining(`${repo} is not a git repository`)])
  const outside = await devflow.run('run', 'works@1', '--repo', '/nonexist')
  expect(outside).toMatchObject({ code: 1, stderr: expect.stringContaining('/nonexist lies outside') })
})

test('a failure is one JSON object on stderr with --json', async () => {
  const { code, stderr, stdout } = await devflow.run('runs', 'show', crypto.randomUUID(), '--json')
  expect([code, stdout]).toEqual([2, ''])
  expect(JSON.parse(stderr)).toEqual({
    error: {
      kind: 'NOT_FOUND',
      code: 'run_not_found',
      message: expect.any(String),
      fix: 'see which there are: devflow runs list',
    },
  })
})

test('followed with --json it is one object a line', async () => {
  const { code, json } = await devflow.run('run', 'asks@1', '--json')
  expect(code).toBe(3)
  const lines = json()
  const runId = lines[0]?.runId
  expect(lines[0]).toMatchObject({ event: 'submitted', status: 'queued', run: { template: 'asks@1' } })
  expect(lines[1]).toMatchObject({ event: 'run', record: { runId, seq: 1, type: 'run.submitted' } })
  expect(lines.at(-2)).toMatchObject({ event: 'gate', gate: { runId, id: 'approve', status: 'open' } })
  expect(lines.at(-1)).toMatchObject({ event: 'end', runId, status: 'waiting', run: { id: runId } })
})

test('what is submitted is what the options say', async () => {
  const repo = await smallRepository()
  const folder = await mkdtemp(join(tmpdir(), 'devflow-cli-input-'))
  onTestFinished(async () => {
    for (const each of [repo, folder]) await rm(each, { recursive: true, force: true })
  })
  await writeFile(join(folder, 'input.yaml'), 'n: 1\ntext: from the file\nmore: [1, 2]\n')
  const run = await devflow.json<Run>(
    ...['run', 'asks@1', '--detach', '--input-file', join(folder, 'input.yaml')],
    ...['--input', 'n=3', '--input', 'text="4"', '--input', 'other=a=b', '--label', 'team=blue'],
    ...['--budget', '0.25', '--repo', repo, '--base', 'main'],
  )
  expect(run).toMatchObject({
    input: { n: 3, text: '4', more: [1, 2], other: 'a=b' },
    labels: { team: 'blue' },
    budget: { limitMicroUsd: 250_000 },
    workspace: { repo, base: 'main' },
  })
  const stdin = devflow.start(['run', 'asks@1', '--detach', '--json', '--input-file', '-'], {
    stdin: '{"n": 7}',
  })
  expect((await stdin.ended).json()).toMatchObject([{ input: { n: 7 } }])
})
