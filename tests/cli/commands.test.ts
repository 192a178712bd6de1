import { beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from '../support/command-line.ts'
import { useCommandStack } from './stack.ts'

const devflow = useCommandStack()

interface Run {
  id: string
  status: string
  createdAt: string
}

const submit = (template: string, ...options: string[]) =>
  devflow.json<Run>('run', template, '--detach', ...options)

/** The run as it is when it needs nobody, or nobody but a person, any more. */
const settled = async (id: string): Promise<Run> => {
  await devflow.stack.untilStatus(id, 'completed', 'failed', 'canceled', 'waiting')
  return devflow.json<Run>('runs', 'show', id)
}

describe('a run is meant', () => {
  test('by its id, its beginning, or as the last one', async () => {
    const run = await submit('waits@1')
    for (const text of [run.id, run.id.toUpperCase(), run.id.slice(0, 20), run.id.slice(0, 13), 'last'])
      expect((await devflow.json<Run>('runs', 'show', text)).id).toBe(run.id)
  })

  test('by a beginning that no other has: 2', async () => {
    const { id } = await submit('waits@1')
    const { id: other } = await submit('waits@1')
    // Both were submitted within the minute that eight digits tell, or within that of seven.
    const shared = [...id].findIndex((digit, at) => digit !== other[at])
    const { code, stderr } = await devflow.run('runs', 'show', id.slice(0, Math.max(8, shared)))
    if (shared < 8) return
    expect(code).toBe(2)
    expect(stderr).toContain('ambiguous_run')
    expect(stderr).toContain(id)
  })

  test.each(['0123', 'nonsense', '01234567'])('and none by %s: 2', async (text) => {
    const { code, stderr } = await devflow.run('runs', 'show', text)
    expect([code, stderr]).toEqual([2, expect.stringContaining(`there is no run ${text}`)])
  })
})

describe('lists', () => {
  let ids: string[]
  beforeAll(async () => {
    ids = []
    for (const team of ['red', 'red', 'blue']) {
      const { id } = await submit('works@1', '--label', `team=${team}`)
      ids.unshift(id)
      await settled(id)
    }
  })

  test('hold what was asked for, a page at a time, newest first', async () => {
    const list = (...options: string[]) =>
      devflow.json<{ items: Run[]; nextCursor?: string }>('runs', 'list', '--template', 'works@1', ...options)
    const first = await list('--limit', '2')
    expect(first.items.map(({ id }) => id)).toEqual(ids.slice(0, 2))
    const second = await list('--limit', '2', '--cursor', first.nextCursor ?? '')
    expect(second.items.map(({ id }) => id)).toEqual(ids.slice(2))
    expect((await list('--label', 'team=red')).items).toHaveLength(2)
    expect((await list('--status', 'failed,canceled')).items).toEqual([])
  })

  test('stand in a pipe with whole ids and without colour', async () => {
    const { stdout } = await devflow.run('runs', 'list', '--label', 'team=blue')
    const [head, row] = stdout.split('\n')
    expect(head).toMatch(/^RUN +STATUS +TEMPLATE +COST +AGE$/)
    expect(row).toMatch(new RegExp(`^${ids[0]} {2}completed  works@1 +\\$0\\.\\d+ +\\d+[sm]$`))
  })

  test('may be empty', async () => {
    const { stdout, code } = await devflow.run('runs', 'list', '--label', 'team=none')
    expect([code, stdout]).toEqual([0, 'No runs.\n'])
  })
})

test('what a run did is in its events, its calls and its report', async () => {
  const { id } = await submit('works@1')
  await settled(id)
  const events = await devflow.run('runs', 'events', id, '--json')
  const all = events.json()
  expect(all.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['run.submitted', 'turn.completed', 'run.completed']),
  )
  const after = await devflow.run(
    ...[
      'runs',
      'events',
      id,
      '--json',
      '--after',
      String(all[3]?.seq),
      '--type',
      'phase.completed,run.completed',
    ],
  )
  expect(after.json()).toMatchObject([{ type: 'phase.completed' }, { type: 'run.completed' }])
  const followed = await devflow.run('runs', 'events', id, '--follow', '--chunks', '--json')
  expect([followed.code, followed.json().length > all.length]).toEqual([0, true])
  expect((await devflow.run('runs', 'events', id)).stdout).toMatch(/^ +1 {2}\S+ {2}run +run\.submitted/)

  const { items } = await devflow.json<{ items: { costMicroUsd: number }[] }>('calls', id)
  expect(items).toHaveLength(2)
  expect((await devflow.run('calls', id)).stdout).toMatch(/\n2 calls, \$0\.\d+\n$/)

  expect(await devflow.json('runs', 'report', id)).toMatchObject({ runId: id, outcome: 'completed' })
  expect((await devflow.run('runs', 'report', id)).stdout).toMatch(/^# Work alone/)
})

test('a report that is not there yet is no report: 1', async () => {
  const { id } = await submit('waits@1')
  const { code, stderr } = await devflow.run('runs', 'report', id)
  expect(code).toBe(1)
  expect(stderr).toMatch(/CONFLICT no_report[\s\S]*→ wait until the run is over/)
})

test('runs are paused, resumed and cancelled', async () => {
  const { id } = await submit('waits@1')
  await settled(id)
  const paused = await devflow.run('runs', 'pause', id, '--reason', 'lunch')
  expect([paused.code, paused.stdout.split('\n')[0]]).toEqual([
    0,
    'The run is being paused: the turn under way is finished.',
  ])
  await devflow.stack.untilStatus(id, 'paused')
  expect(await devflow.json('runs', 'resume', id)).toMatchObject({ id })
  await devflow.stack.untilStatus(id, 'waiting')
  expect((await devflow.run('runs', 'cancel', id)).code).toBe(0)
  await devflow.stack.untilStatus(id, 'canceled')
  const late = await devflow.run('runs', 'pause', id)
  expect([late.code, late.stderr]).toEqual([1, expect.stringContaining('CONFLICT run_over')])
})

test('a failed run is retried, and followed to its new end', async () => {
  const { id } = await submit('fails@1')
  await settled(id)
  expect((await devflow.run('runs', 'retry', id)).code).toBe(0)
  await devflow.stack.untilEvent(id, 'run.failed', 2)
  expect((await devflow.run('runs', 'show', id, '--follow')).code).toBe(1)
  const { stdout } = await devflow.run('runs', 'show', id)
  expect(stdout).toContain('failed, attempt 2')
  expect(stdout).toContain('UNAVAILABLE overloaded: Too much to do.')
})

describe('gates', () => {
  test('are listed and rejected with a comment', async () => {
    const { id } = await submit('asks@1')
    await settled(id)
    const { items } = await devflow.json<{ items: { runId: string; subjectHash: string }[] }>('gates')
    const gate = items.find(({ runId }) => runId === id)
    expect(gate).toMatchObject({ id: 'approve', status: 'open' })
    expect((await devflow.run('gates')).stdout).toContain(`${id}  approve`)
    const stale = await devflow.run('approve', id, '--subject-hash', 'a'.repeat(64))
    expect([stale.code, stale.stderr]).toEqual([1, expect.stringContaining('CONFLICT subject_changed')])
    const hash = gate?.subjectHash ?? ''
    const rejected = await devflow.json('reject', id, 'approve', '--comment', 'No.', '--subject-hash', hash)
    expect(rejected).toMatchObject({
      status: 'rejected',
      decisions: [{ decision: 'reject', comment: 'No.' }],
    })
    await devflow.stack.untilStatus(id, 'failed')
  })

  test('that are not there cannot be decided: 2', async () => {
    const { id } = await submit('waits@1')
    const none = await devflow.run('approve', id)
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('no_open_gate')])
    const unknown = await devflow.run('approve', id, 'nosuch')
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('gate_not_found')])
  })
})

test('shared options are taken before a command and after it, and from the environment', async () => {
  const env = { DEVFLOW_URL: 'http://127.0.0.1:1', DEVFLOW_LANG: 'ko' }
  const korean = await runCommand(['runs', 'list'], { env })
  expect([korean.code, korean.stderr]).toEqual([5, expect.stringContaining('지금은 쓸 수 없음')])
  const before = await runCommand(['--url', devflow.url, '--lang', 'en', '--json', 'runs', 'list'], { env })
  expect(before.json()).toMatchObject([{ items: expect.any(Array) }])
  const wrong = await runCommand(['runs', 'list'], { env: { DEVFLOW_LANG: 'xx' } })
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('DEVFLOW_LANG is wrong')])
})

test('help has no error and no exit code but 0', async () => {
  for (const args of [['--help'], ['runs', '--help'], ['run', '--help'], ['--version']]) {
    const { code, stderr } = await runCommand(args)
    expect([code, stderr]).toEqual([0, ''])
  }
})

describe('budgets', () => {
  test('are shown, set, replaced and removed one by one', async () => {
    const none = await devflow.run('budget')
    expect(none.stdout).toContain('No budgets.')
    await devflow.json('budget', 'set', 'tenant-day', '--usd', '20.5', '--tokens', '1000000')
    await devflow.json('budget', 'set', 'persona-day', '--persona', 'ann', '--usd', '1', '--policy', 'prompt')
    await devflow.json('budget', 'set', 'tenant-day', '--usd', '0.25', '--policy', 'warn_continue')
    const { stdout } = await devflow.run('budget')
    expect(stdout).toMatch(/tenant-day +\$0\.25 +\$0\.\d+ +warns/)
    expect(stdout).toMatch(/persona-day +ann +\$1\.00 +\$0\.00 +asks/)
    const removed = await devflow.json<{ items: unknown[] }>('budget', 'remove', 'tenant-day')
    expect(removed.items).toEqual([
      { scope: 'persona-day', persona: 'ann', limitMicroUsd: 1_000_000, onExceeded: 'prompt', today: [] },
    ])
    await devflow.json('budget', 'remove', 'persona-day', '--persona', 'ann')
  })

  test('that limit nothing, or are not there, are bad usage: 2', async () => {
    expect((await devflow.run('budget', 'set', 'day')).code).toBe(2)
    expect((await devflow.run('budget', 'remove', 'day')).code).toBe(2)
    expect((await devflow.run('budget', 'set', 'week', '--usd', '1')).code).toBe(2)
  })
})
