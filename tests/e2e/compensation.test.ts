// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what expressions look like
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readRun } from '@devflow/db'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sagaTemplate } from '../support/functions.ts'
import { eventsOf, type Standing, statusesOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'

let folder: string
let files = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'devflow-saga-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** A file that functions write to, of this test alone. */
async function ledger(): Promise<string> {
  const file = join(folder, `ledger-${++files}`)
  await writeFile(file, '')
  await chmod(file, 0o666)
  return file
}

const linesOf = async (file: string) =>
  (await readFile(file, 'utf8'))
    .split('\n')
    .filter(Boolean)
    .map((line) => line.replace(/ [^ ]+$/, ''))

const stack = useStack()
const FAILS = {
  id: 'bad',
  map: { over: '${{ run.labels }}', phases: [{ id: 'x', wait: { for: 'PT1S' } }] },
}
const HANGS = { id: 'hang', wait: { for: 'PT1H' } }

const compensations = (run: Standing) =>
  run.events
    .filter(({ type }) => type.startsWith('compensation.'))
    .map(({ type, phase }) => `${type.slice('compensation.'.length)} ${phase}`)

describe('what says how to undo it', () => {
  test('is undone, the last first, when the run fails; the run cannot be retried then', async () => {
    const file = await ledger()
    const then = [{ id: 'free', wait: { for: 'PT0.01S' } }, FAILS]
    const run = await stack.finish(sagaTemplate(file, [{ id: 'book' }, { id: 'pay' }], then))
    expect(run).toMatchObject({ status: 'failed', error: { code: 'invalid_items' } })
    expect(await linesOf(file)).toEqual(['do book', 'do pay', 'undo do pay', 'undo do book'])
    expect(statusesOf(run)).toEqual({
      book: 'compensated',
      pay: 'compensated',
      free: 'completed',
      bad: 'failed',
    })
    expect(compensations(run)).toEqual(['started pay', 'completed pay', 'started book', 'completed book'])
    expect(run.types.slice(-2)).toEqual(['report.written', 'run.failed'])
    expect(run.error).toMatchObject({ compensation: { completed: 2, failed: 0, notUndone: [] } })
    expect(await stack.command(run.id, 'retry')).toBe('compensated')
  })

  test('is tried again; what cannot be undone is on record, and the rest is undone all the same', async () => {
    const file = await ledger()
    const steps = [
      { id: 'book', failures: 1 },
      { id: 'pay', failures: 99 },
    ]
    const run = await stack.finish(sagaTemplate(file, steps, [FAILS]))
    expect((await linesOf(file)).slice(2)).toEqual([
      ...Array(5).fill('undo do pay'),
      'undo do book',
      'undo do book',
    ])
    expect(statusesOf(run)).toMatchObject({ book: 'compensated', pay: 'completed' })
    expect(compensations(run)).toEqual(['started pay', 'failed pay', 'started book', 'completed book'])
    const view = await readRun(stack.pool, 'default', run.id)
    expect(view?.error?.compensation).toEqual({
      ...{ completed: 1, failed: 1 },
      notUndone: [
        {
          ...{ phase: 'pay', function: 'fn@1' },
          error: { kind: 'INTERNAL', code: 'function_failed', message: 'fn@1: not now: undo do pay' },
        },
      ],
    })
    // Every try under one key.
    const keys = (await readFile(file, 'utf8')).split('\n').filter((line) => line.startsWith('undo do pay'))
    expect(new Set(keys).size).toBe(1)
    const { rows } = await stack.pool.query(
      `select convert_from(b.content, 'UTF8') as text from devflow.artifacts a join devflow.blobs b using (run_id, sha256) where run_id = $1 and name like 'report.%' order by name`,
      [run.id],
    )
    expect(JSON.parse(rows[0].text).compensations).toMatchObject([
      { phase: 'pay', status: 'failed', tries: 5, error: { code: 'function_failed' } },
      { phase: 'book', status: 'completed', tries: 2 },
    ])
    expect(rows[1].text).toContain('1 phase could not be undone')
  })

  test('is undone when the run is canceled, and a cancel meanwhile does not stop it', async () => {
    const file = await ledger()
    const run = await stack.submit(sagaTemplate(file, [{ id: 'book' }, { id: 'pay', failures: 3 }], [HANGS]))
    await stack.untilEvent(run, 'wait.opened')
    await stack.command(run, 'cancel')
    await stack.untilEvent(run, 'compensation.started')
    await stack.command(run, 'cancel')
    const end = await stack.untilStatus(run, 'canceled', 'failed')
    expect(end.status).toBe('canceled')
    expect(statusesOf(end)).toEqual({ book: 'compensated', pay: 'compensated', hang: 'canceled' })
    expect(await stack.command(run, 'retry')).toBe('compensated')
  })

  test('keeps the end it came to when it is canceled while it is undone', async () => {
    const file = await ledger()
    const run = await stack.submit(sagaTemplate(file, [{ id: 'pay', failures: 4 }], [FAILS]))
    await stack.untilEvent(run, 'compensation.started')
    expect(await stack.command(run, 'cancel')).toBe('done')
    const end = await stack.untilStatus(run, 'canceled', 'failed')
    expect(end).toMatchObject({ status: 'failed', error: { code: 'invalid_items' } })
    expect(statusesOf(end)).toMatchObject({ pay: 'compensated' })
  })

  test('is left alone when the run completes, and where it failed, was skipped or is passed over', async () => {
    const file = await ledger()
    const done = await stack.finish(sagaTemplate(file, [{ id: 'book' }], []))
    expect(done.status).toBe('completed')
    const steps = [
      { id: 'book', phase: { when: '${{ 1 > 2 }}' } },
      {
        id: 'pay',
        phase: { function: { name: 'fn@1', input: { file, line: 'do', failures: 9 } }, onError: 'continue' },
      },
    ]
    const failed = await stack.finish(sagaTemplate(file, steps, [FAILS]))
    expect(statusesOf(failed)).toMatchObject({ book: 'skipped', pay: 'failed', bad: 'failed' })
    expect([...eventsOf(done, 'compensation.started'), ...eventsOf(failed, 'compensation.started')]).toEqual(
      [],
    )
  })

  test('is undone by each of its items, and when only the run’s output fails', async () => {
    const file = await ledger()
    const one = sagaTemplate(file, [{ id: 'book' }], [])
    const [template = '', entry = ''] = one.split('\n---\n')
    const { phases, ...rest } = JSON.parse(template)
    const inside = JSON.parse(JSON.stringify(phases).replace('do book', 'do ${{ item }}'))
    const each = { id: 'each', map: { over: ['a', 'b', 'c'], concurrency: 1, phases: inside } }
    const saga = { ...rest, phases: [each], output: '${{ 1 / int(run.attempt - 1) }}' }
    const run = await stack.finish(`${JSON.stringify(saga)}\n---\n${entry}`)
    expect(run.status).toBe('failed')
    const undone = ['undo do c', 'undo do b', 'undo do a']
    expect((await linesOf(file)).slice(3)).toEqual(undone)
    expect(statusesOf(run)).toMatchObject({
      'book[0]': 'compensated',
      'book[2]': 'compensated',
      each: 'completed',
    })
  })

  test('is the affair of the run that did it: its parent fails with the same error, and has undone nothing', async () => {
    const parent = {
      kind: 'template',
      id: 'parent@1',
      phases: [{ id: 'sub', workflow: { template: 'saga@1' } }],
    }
    const child = sagaTemplate(await ledger(), [{ id: 'book' }], [FAILS])
    const run = await stack.finish(`${JSON.stringify(parent)}\n---\n${child}`)
    expect(run.error).toEqual({
      kind: 'INVALID',
      code: 'invalid_items',
      message: expect.stringContaining('map.over'),
    })
    const undone = await readRun(stack.pool, 'default', String(eventsOf(run, 'child.started')[0]?.data.run))
    expect(undone?.error?.compensation).toMatchObject({ completed: 1 })
  })

  test('goes on after its worker was killed in the middle, under the same key, and is undone once on record', async () => {
    const file = await ledger()
    const run = await stack.submit(sagaTemplate(file, [{ id: 'book' }, { id: 'pay', failures: 2 }], [FAILS]))
    await stack.until(run, ({ events }) => events.some(({ key }) => key === 'compensation/pay/1/1/end'))
    await stack.worker.kill()
    await stack.startWorker()
    const end = await stack.untilStatus(run, 'failed')
    expect(statusesOf(end)).toMatchObject({ book: 'compensated', pay: 'compensated' })
    expect(compensations(end)).toEqual(['started pay', 'completed pay', 'started book', 'completed book'])
    expect((await linesOf(file)).at(-1)).toBe('undo do book')
  })
})
