import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { smallRepository } from '../support/repository.ts'
import { eventOf, eventsOf, type Standing } from '../support/run-log.ts'
import { isSandboxed } from '../support/sandboxed.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack({ DEVFLOW_COMMAND_TIMEOUT_MS: '60000' })
let repository: string
beforeAll(async () => {
  repository = await smallRepository()
})
afterAll(() => rm(repository, { recursive: true, force: true }))

interface Play {
  model?: object
  phase?: string
  commands?: string[]
}

/** A template whose one agent makes these calls, a turn each, and then says that it is done. */
const playing = (
  calls: [tool: string, args: unknown][],
  { model = {}, phase = '', commands = ['sh -c', 'git status', 'git diff', 'node'] }: Play = {},
): string => `
kind: template
id: commands@1
roles: { worker: { persona: player@1 } }
phases:
  - { id: work, agent: { role: worker, prompt: Work. ${phase} } }
---
${JSON.stringify({
  kind: 'persona',
  id: 'player@1',
  model: {
    provider: 'scripted',
    name: 'player',
    ...model,
    script: {
      turns: [
        ...calls.map(([name, args], index) => ({
          toolCalls: [{ id: `call-${index}`, name, arguments: args }],
        })),
        { reply: 'Done.' },
      ],
    },
  },
  tools: ['write_file', 'read_file', 'run_command'],
  commands,
})}
`

const workspace = () => ({ workspace: { repo: repository } })
const command = (...argv: string[]): [string, unknown] => ['run_command', { argv }]
const shell = (script: string) => command('sh', '-c', script)
const answers = (run: Standing) =>
  eventsOf(run, 'tool.completed').map(({ data }) => String(data.content).replace(/after [\d.]+ s/, ''))

describe.runIf(isSandboxed)('a command', () => {
  test('sees what was written before it, may write, and says what it said and how it ended', async () => {
    const run = await stack.finish(
      playing([
        ['write_file', { path: 'sum.test.mjs', content: "import t from 'node:test'\nt('adds', () => {})\n" }],
        command('node', '--test'),
        shell('echo more >> README.md; echo out; echo err >&2; exit 3'),
        command('git', 'diff', '--stat'),
        ['read_file', { path: '/workspace/README.md' }],
      ]),
      workspace(),
    )
    const [, tested, said, diff, read] = answers(run)
    expect(tested).toMatch(/^exit code 0[\s\S]*pass 1/)
    expect(said).toBe('exit code 3 \n--- standard output\nout\n\n--- standard error\nerr\n')
    expect(diff).toMatch(/README\.md \| +1 \+/)
    expect(read).toContain('more')
    const [, , failed] = eventsOf(run, 'tool.completed')
    expect(failed?.data).toMatchObject({ ok: false, exitCode: 3, bytes: 8 })
  })

  test('keeps the head and the tail of a long output, and counts what is between', async () => {
    const run = await stack.finish(
      playing([command('node', '-e', "for (let i = 0; i < 1e5; i += 1) console.log('line', i)")]),
      workspace(),
    )
    const [said = ''] = answers(run)
    expect(said).toContain('\nline 0\n')
    expect(said.trimEnd()).toMatch(/line 99999$/)
    expect(said).toContain('bytes are left out here')
    expect(said.length).toBeLessThan(40_000)
    expect(eventOf(run, 'tool.completed').data.bytes).toBe(1_088_890)
  })

  test('is on record before it starts, under a key of its own', async () => {
    const run = await stack.finish(playing([shell('true')]), workspace())
    const types = run.types.filter((type) => type.startsWith('tool.'))
    expect(types).toEqual(['tool.called', 'tool.started', 'tool.completed'])
    expect(eventOf(run, 'tool.started').key).toBe('work/1/1/tool/call-0/started')
  })

  test('that the persona does not allow is denied, and so is every one without an allow-list', async () => {
    const run = await stack.finish(playing([command('git', 'status')], { commands: [] }), workspace())
    expect(eventOf(run, 'tool.denied').data).toMatchObject({
      code: 'command_not_allowed',
      content: 'this command is not allowed; no command is allowed',
    })
    expect(run.types).not.toContain('tool.started')
  })
})

describe.runIf(isSandboxed)('a cancel', () => {
  test('ends a command with all its processes within two seconds', async () => {
    const run = await stack.submit(
      playing([shell('trap "" TERM; (setsid sleep 71234 &); sleep 71234')]),
      workspace(),
    )
    await stack.untilEvent(run, 'tool.started')
    const asked = Date.now()
    await stack.command(run, 'cancel')
    const end = await stack.untilStatus(run, 'canceled')
    expect(Date.now() - asked).toBeLessThan(2_000)
    expect(eventOf(end, 'tool.completed').data).toMatchObject({ ok: false, code: 'command_stopped' })
  })
})

describe.runIf(isSandboxed)('a worker that is lost in the middle of a command', () => {
  test('leaves a command that is not run again, and a model that is told', async () => {
    const run = await stack.submit(
      playing([
        ['write_file', { path: 'kept.txt', content: 'kept' }],
        shell('echo started >> count; sleep 600'),
        shell('cat kept.txt; cat count 2>&1'),
      ]),
      workspace(),
    )
    await stack.untilEvent(run, 'tool.started')
    process.kill(stack.worker.pid, 'SIGKILL')
    await stack.stopWorker()
    await stack.startWorker()
    const end = await stack.untilStatus(run, 'completed')
    const [, lost, after] = eventsOf(end, 'tool.completed')
    expect(lost?.data).toMatchObject({ id: 'call-1', ok: false, code: 'outcome_unknown' })
    expect(lost?.data.content).toMatch(/was started.*its outcome is not known.*not run again/)
    expect(eventsOf(end, 'tool.started').map(({ data }) => data.id)).toEqual(['call-1', 'call-2'])
    // The files are those on record: what the lost command wrote was not.
    expect(after?.data.content).toMatch(/kept[\s\S]*No such file/)
  })
})

describe.runIf(isSandboxed)('a quota of a tool', () => {
  test('denies what is too much, and the phase goes on', async () => {
    const run = await stack.finish(
      playing([shell('true'), shell('true'), shell('true')], { model: { toolQuotas: { run_command: 2 } } }),
      workspace(),
    )
    expect(run.status).toBe('completed')
    expect(eventsOf(run, 'tool.completed')).toHaveLength(2)
    expect(eventOf(run, 'tool.denied').data).toMatchObject({
      code: 'tool_quota_exceeded',
      content: 'run_command may be called 2 times in this phase, and was. Go on without it.',
    })
  })

  test('of a phase narrows that of its persona; a model that goes on all the same fails', async () => {
    const run = await stack.finish(
      playing(
        Array.from({ length: 9 }, () => shell('true')),
        {
          model: { toolQuotas: { run_command: 8 } },
          phase: ', toolQuotas: { run_command: 1 }',
        },
      ),
      workspace(),
    )
    expect(run.error).toMatchObject({ kind: 'RATE_LIMITED', code: 'tool_quota_exceeded' })
    expect(eventsOf(run, 'tool.completed')).toHaveLength(1)
    expect(eventsOf(run, 'tool.denied')).toHaveLength(4)
  })
})

describe('without bubblewrap', () => {
  const calls = [shell('echo here')]

  test('commands are denied', async () => {
    await stack.stopWorker()
    await stack.startWorker({ PATH: '/nowhere' })
    const run = await stack.finish(playing(calls), workspace())
    expect(eventOf(run, 'tool.denied').data).toMatchObject({
      code: 'sandbox_unavailable',
      content: expect.stringContaining('bubblewrap (bwrap) is not installed'),
    })
  })

  test('they run where the operator allows it, without the worker’s environment', async () => {
    const path = await mkdtemp(join(tmpdir(), 'devflow-path-'))
    await writeFile(join(path, 'sh'), '#!/bin/sh\nexec /bin/sh "$@"\n', { mode: 0o755 })
    await stack.stopWorker()
    await stack.startWorker({ PATH: path, DEVFLOW_UNSANDBOXED_COMMANDS: 'true' })
    const run = await stack.finish(playing([shell('echo here; echo "$DATABASE_URL"; pwd')]), workspace())
    expect(answers(run)[0]).toMatch(/^exit code 0 \n--- standard output\nhere\n\n\//)
    expect(stack.printed()).toContain('without a sandbox')
    expect(eventOf(run, 'tool.started').data).toMatchObject({ unsandboxed: true })
    const { rows } = await stack.pool.query<{ content: Buffer }>(
      "select b.content from devflow.blobs b join devflow.artifacts a on a.run_id = b.run_id and a.sha256 = b.sha256 where a.run_id = $1 and a.name like 'report%'",
      [run.id],
    )
    const reports = rows.map(({ content }) => content.toString())
    expect(reports.some((text) => text.includes('1 command without a sandbox'))).toBe(true)
    await rm(path, { recursive: true, force: true })
  })
})
