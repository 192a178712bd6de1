import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readArtifact } from '@devflow/db'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventsOf, type Standing } from '../support/run-log.ts'
import { isSandboxed } from '../support/sandboxed.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack()

interface Turn {
  reply?: string
  toolCalls?: { name: string; arguments: unknown }[]
}

const template = (name: string) =>
  readFileSync(new URL(`../../catalog/templates/${name}.yaml`, import.meta.url), 'utf8')

/** A persona that plays a role of the catalog's template: what it says is given, its tools and commands are real. */
const player = (id: string, vendor: string, turns: Turn[], more: object = {}) =>
  JSON.stringify({
    kind: 'persona',
    id: `${id}@1`,
    capabilities: [id],
    model: { provider: 'scripted', name: id, vendor, script: { turns } },
    instructions: 'Play.',
    tools: ['read_file', 'write_file', 'edit_file', 'run_command', 'request_subagent', 'complete'],
    commands: ['node --test', 'git diff'],
    ...more,
  })

const call = (name: string, args: unknown): Turn => ({ toolCalls: [{ name, arguments: args }] })
const complete = (content: unknown): Turn => call('complete', { content })
const said = (end: Standing, tool: string) =>
  eventsOf(end, 'tool.completed')
    .filter(({ data }) => data.name === tool)
    .map(({ data }) => String(data.content))

const TEST = `import { test } from 'node:test'
import assert from 'node:assert'
import { add } from "./add.mjs"
test('adds', () => assert.equal(add(2, 3), 5))
`

let repo = ''
beforeAll(async () => {
  repo = await mkdtemp(join(tmpdir(), 'devflow-bug-'))
  const git = (...args: string[]) => execFileSync('git', ['-C', repo, ...args], { stdio: 'pipe' })
  git('init', '-q', '-b', 'main')
  await writeFile(join(repo, 'add.mjs'), 'export const add = (a, b) => a - b\n')
  git('add', '.')
  git('-c', 'user.name=T', '-c', 'user.email=t@t', 'commit', '-qm', 'one')
})
afterAll(() => rm(repo, { recursive: true, force: true }))

test.runIf(isSandboxed)(
  'a bug is shown, mended, sent back by a person, and verified by its tests',
  async () => {
    const run = (argv: string[]) => call('run_command', { argv })
    const fix = {
      cause: 'add subtracted.',
      change: 'It adds.',
      files: ['add.mjs'],
      tests: [{ command: ['node', '--test'], passed: true }],
      risks: [],
    }
    const personas = [
      player('reproducer', 'a', [
        call('write_file', { path: 'add.test.mjs', content: TEST }),
        run(['node', '--test']),
        complete({
          reproduced: true,
          summary: 'add(2, 3) is -1.',
          command: ['node', '--test'],
          observed: '-1 !== 5',
          expected: '5',
          test: 'add.test.mjs',
          suspects: [{ path: 'add.mjs', line: 1, why: 'It subtracts.' }],
        }),
      ]),
      player('engineer', 'a', [
        call('edit_file', { path: 'add.mjs', old: 'a - b', new: 'a + b' }),
        run(['node', '--test']),
        complete(fix),
      ]),
      player('critic', 'b', [run(['git', 'diff']), complete({ summary: 'Right.', findings: [] })]),
      player('judge', 'a', [
        run(['node', '--test']),
        complete({
          verdict: 'pass',
          reasons: ['All tests pass.'],
          checks: [{ requirement: 'bug', status: 'pass', evidence: 'add.test.mjs' }],
        }),
      ]),
    ]
    const id = await stack.submit([template('bug-fix'), ...personas].join('\n---\n'), {
      input: { report: 'add(2, 3) gives -1.', testCommand: 'node --test' },
      bindings: {
        reproducer: 'reproducer@1',
        engineer: 'engineer@1',
        reviewer: 'critic@1',
        verifier: 'judge@1',
      },
      workspace: { repo, base: 'main' },
    })
    const first = await stack.untilStatus(id, 'waiting')
    expect(first.phases.review?.status).toBe('completed')
    expect(await stack.decide(id, 'approve', { decision: 'request_changes', comment: 'Say why.' })).toBe(
      'accepted',
    )
    const again = await stack.until(
      id,
      ({ status, phases }) => status === 'waiting' && phases.fix?.attempt === 2,
    )
    expect(again.status).toBe('waiting')
    expect(await stack.decide(id, 'approve')).toBe('accepted')
    const end = await stack.untilStatus(id, 'completed', 'failed')
    expect(end.error).toBeNull()
    expect(end.output).toMatchObject({ verdict: 'pass' })
    const runs = said(end, 'run_command')
    expect(runs[0]).toMatch(/exit code 1[\s\S]*-1 == 5/)
    expect(runs.at(-1)).toMatch(/exit code 0/)
    const diff = await readArtifact(stack.pool, id, 'changes.diff')
    expect(String(diff?.content)).toMatch(
      /-export const add = \(a, b\) => a - b\n\+export const add = \(a, b\) => a \+ b/,
    )
  },
)

test('a topic is planned, looked into by agents at once, and brought together', async () => {
  const question = (n: number) => ({ id: `Q${n}`, question: `What is ${n}?`, where: 'anywhere' })
  const ask = (n: number) => ({ name: 'request_subagent', arguments: { persona: 'scout@1', task: `Q${n}` } })
  const personas = [
    player('planner', 'a', [complete({ goal: 'To know.', questions: [question(1), question(2)] })]),
    player('researcher', 'a', [{ toolCalls: [ask(1), ask(2)] }, complete('# Notes\n\nQ1: one. Q2: two.')], {
      subagents: ['scout@1'],
    }),
    player('scout', 'a', [{ reply: 'It is a number.' }]),
    player('editor', 'a', [
      complete({
        title: 'Numbers',
        summary: 'They are numbers.',
        answers: [1, 2].map((n) => ({
          question: `Q${n}`,
          answer: 'A number.',
          confidence: 'high',
          evidence: [{ source: 'notes', note: 'said so' }],
        })),
        open: [],
      }),
    ]),
  ]
  const id = await stack.submit([template('research-brief'), ...personas].join('\n---\n'), {
    input: { topic: 'Numbers.' },
    bindings: { planner: 'planner@1', researcher: 'researcher@1', editor: 'editor@1' },
  })
  await stack.untilStatus(id, 'waiting')
  expect(await stack.decide(id, 'approve')).toBe('accepted')
  const end = await stack.untilStatus(id, 'completed', 'failed')
  expect(end.error).toBeNull()
  expect(end.output).toMatchObject({ title: 'Numbers' })
  expect(eventsOf(end, 'subagent.completed')).toHaveLength(2)
})
