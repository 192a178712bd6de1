import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readArtifact } from '@devflow/db'
import { afterAll, describe, expect, test } from 'vitest'
import { smallRepository } from '../support/repository.ts'
import { eventOf, eventsOf, type Standing } from '../support/run-log.ts'
import { isSandboxed } from '../support/sandboxed.ts'
import { useStack } from '../support/stack.ts'
import { failing } from '../support/templates.ts'

const stack = useStack()
const repo = await smallRepository()
afterAll(() => rmSync(repo, { recursive: true, force: true }))

const write = (path: string, content: string) => ({
  toolCalls: [{ name: 'write_file', arguments: { path, content } }],
})
const edit = (path: string, old: string, replacement: string) => ({
  toolCalls: [{ name: 'edit_file', arguments: { path, old, new: replacement } }],
})
const see = (...paths: string[]) => ({
  toolCalls: paths.map((path) => ({ name: 'read_file', arguments: { path } })),
})
const list = { toolCalls: [{ name: 'list_dir', arguments: { path: '.' } }] }
const done = { reply: 'Done.' }

/** A template whose phases are played by these turns; `phases` in YAML at the phases' indentation. */
const played = (phases: string, script: Record<string, unknown>) => `
kind: template
id: files@1
roles: { worker: { persona: player@1 } }
phases:
${phases}
---
${JSON.stringify({
  kind: 'persona',
  id: 'player@1',
  model: { provider: 'scripted', name: 'player', script: { phases: script } },
  tools: ['read_file', 'list_dir', 'write_file', 'edit_file', 'search_files'],
})}
`
const agent = (id: string, more = '') => `{ id: ${id}, agent: { role: worker, prompt: Work. }${more} }`
const resultsOf = (run: Standing, phase: string) =>
  eventsOf(run, 'tool.completed')
    .filter((event) => event.phase === phase)
    .map(({ data }) => String(data.content))

describe('files', () => {
  test('go from phase to phase, and the repository itself is never written', async () => {
    const before = execFileSync('git', ['status', '--porcelain', '--branch'], { cwd: repo }).toString()
    const run = await stack.finish(
      played(`  - ${agent('one')}\n  - ${agent('two')}\n  - ${agent('three')}`, {
        one: [write('a.txt', 'one'), done],
        two: [edit('a.txt', 'one', 'one two'), list, done],
        three: [see('a.txt'), done],
      }),
      { workspace: { repo } },
    )
    expect(run.status).toBe('completed')
    expect(resultsOf(run, 'three')[0]).toContain('1\tone two')
    const [first, second, ...more] = eventsOf(run, 'workspace.snapshot')
    expect(more).toEqual([])
    expect(second?.data).toMatchObject({ line: 'main', base: first?.data.commit, links: 2 })
    expect(execFileSync('git', ['status', '--porcelain', '--branch'], { cwd: repo }).toString()).toBe(before)
  })

  test('of an attempt that failed are not built upon', async () => {
    const run = await stack.finish(
      played(`  - ${agent('try', ', retry: { maxAttempts: 2, backoff: PT0.1S }')}`, {
        try: {
          attempts: [
            [write('half.txt', 'half'), failing],
            [list, done],
          ],
        },
      }),
      { workspace: { repo } },
    )
    expect(run.status).toBe('completed')
    expect(resultsOf(run, 'try').at(-1)).not.toContain('half.txt')
  })

  test('outside cannot be reached, which is told to the agent and on record', async () => {
    const run = await stack.finish(
      played(`  - ${agent('escape')}`, {
        escape: [
          write('../outside.txt', 'x'),
          write('.git/hooks/post-checkout', 'x'),
          edit('/etc/passwd', 'root', 'toor'),
          done,
        ],
      }),
      { workspace: { repo } },
    )
    expect(run.status).toBe('completed')
    expect(eventsOf(run, 'tool.denied').map(({ turn }) => turn)).toEqual([1, 2, 3])
    expect(eventsOf(run, 'workspace.snapshot')).toEqual([])
  })
})

describe('what a run has changed', () => {
  const turns = { one: [write('new/a.txt', 'one'), edit('add.js', 'a + b', 'b + a'), done] }

  test('is offered as a branch in a bundle and as a diff, that make the same files of the repository', async () => {
    const run = await stack.finish(
      played(`  - ${agent('one')}\n  - ${agent('two')}`, { ...turns, two: [done] }),
      {
        workspace: { repo },
      },
    )
    const [bundle, diff] = await Promise.all(
      ['changes.bundle', 'changes.diff'].map((name) => readArtifact(stack.pool, run.id, name)),
    )
    expect([bundle?.mediaType, diff?.mediaType]).toEqual(['application/x-git-bundle', 'text/x-diff'])
    const clone = await mkdtemp(join(tmpdir(), 'devflow-fetch-'))
    const git = (...args: string[]) => execFileSync('git', args, { cwd: clone, stdio: 'pipe' }).toString()
    try {
      git('clone', '--quiet', repo, '.')
      await writeFile(join(clone, '.git/changes.bundle'), bundle?.content ?? '')
      await writeFile(join(clone, '.git/changes.diff'), diff?.content ?? '')
      git('fetch', '--quiet', '.git/changes.bundle', `devflow/${run.id}:mine`)
      git('apply', '--index', '.git/changes.diff')
      expect(git('diff', '--cached', '--stat', 'mine')).toBe('')
      expect(git('diff', '--stat', 'HEAD', 'mine')).toContain('2 files changed')
    } finally {
      rmSync(clone, { recursive: true })
    }
    const report = JSON.parse(String((await readArtifact(stack.pool, run.id, 'report.json'))?.content))
    expect(report.changes).toMatchObject({
      branch: `devflow/${run.id}`,
      ...{ files: 2, insertions: 2, deletions: 1 },
      artifacts: [{ name: 'changes.bundle', sha256: bundle?.sha256 }, { name: 'changes.diff' }],
    })
    expect(String((await readArtifact(stack.pool, run.id, 'report.md'))?.content)).toContain(
      `git fetch changes.bundle devflow/${run.id}:devflow/${run.id}`,
    )
  })

  test('is offered of a run that failed too, and not where nothing changed', async () => {
    const one = [write('half.txt', 'half'), failing]
    const failed = await stack.finish(played(`  - ${agent('one')}`, { one }), { workspace: { repo } })
    expect(failed.status).toBe('failed')
    expect(String((await readArtifact(stack.pool, failed.id, 'changes.diff'))?.content)).toContain('+half')
    const idle = await stack.finish(played(`  - ${agent('one')}`, { one: [list, done] }), {
      workspace: { repo },
    })
    expect(await readArtifact(stack.pool, idle.id, 'changes.diff')).toBeUndefined()
  })
})

describe('branches of work done at once', () => {
  const fork = `  - ${agent('before')}
  - id: fork
    parallel:
      branches:
        - [${agent('left')}]
        - [${agent('right')}, ${agent('further')}]
  - ${agent('after')}`

  test('have files of their own, and the join holds what all of them did', async () => {
    const run = await stack.finish(
      played(fork, {
        before: [write('shared.txt', 'one\ntwo\nthree\nfour\nfive\n'), done],
        left: [edit('shared.txt', 'one', 'ONE'), list, done],
        right: [edit('shared.txt', 'five', 'FIVE'), write('right.txt', 'r'), done],
        further: [write('further.txt', 'f'), see('right.txt'), done],
        after: [see('shared.txt', 'right.txt', 'further.txt'), done],
      }),
      { workspace: { repo } },
    )
    expect(run.status, JSON.stringify(run.error)).toBe('completed')
    expect(resultsOf(run, 'left').at(-1)).not.toContain('right.txt')
    const [shared, right, further] = resultsOf(run, 'after')
    expect(shared).toContain('1\tONE\n2\ttwo\n3\tthree\n4\tfour\n5\tFIVE')
    expect(right).toContain('1\tr')
    expect(further).toContain('1\tf')
    const joined = eventsOf(run, 'workspace.snapshot').find(({ phase }) => phase === 'fork')
    expect(joined?.data.line).toBe('main')
  })

  test('fail at the join where their changes do not go together, naming the files', async () => {
    const run = await stack.finish(
      played(fork, {
        before: [list, done],
        left: [edit('README.md', 'Adds two numbers', 'Adds many numbers'), done],
        right: [edit('README.md', 'Adds two numbers', 'Adds three numbers'), done],
        further: [done],
        after: [done],
      }),
      { workspace: { repo } },
    )
    expect(run.status).toBe('failed')
    expect(run.phases.fork?.error).toMatchObject({ kind: 'CONFLICT', code: 'workspace_conflict' })
    expect(JSON.stringify(run.phases.fork?.error)).toContain('README.md')
  })
})

describe.runIf(isSandboxed)('a setup', () => {
  const make = [
    'node',
    '-e',
    `require('fs').mkdirSync('deps'); require('fs').writeFileSync('deps/made.txt', 'made')`,
  ]

  test('is run before the first turn, and what it makes is in the files of every phase, not in their snapshots', async () => {
    const run = await stack.finish(
      played(`  - ${agent('one')}\n  - ${agent('two')}`, {
        one: [see('deps/made.txt'), write('a.txt', 'a'), done],
        two: [see('deps/made.txt'), done],
      }),
      { workspace: { repo, setup: [make] } },
    )
    expect(run.status, JSON.stringify(run.error)).toBe('completed')
    expect(resultsOf(run, 'one')[0]).toContain('1\tmade')
    expect(resultsOf(run, 'two')[0]).toContain('1\tmade')
    expect(eventsOf(run, 'workspace.prepared').map(({ data }) => data.cached)).toEqual([false, true])
  })

  test('that fails fails the phase with what it said', async () => {
    const setup = [['node', '-e', 'console.error("no such registry"); process.exit(3)']]
    const run = await stack.finish(played(`  - ${agent('one')}`, { one: [done] }), {
      workspace: { repo, setup },
    })
    expect(run.error).toMatchObject({ kind: 'INVALID', code: 'setup_failed' })
    expect(eventOf(run, 'phase.failed').data.error).toMatchObject({
      message: expect.stringMatching(/exited with 3:\nno such registry/),
    })
  })
})
