import type pg from 'pg'
import { describe, expect, test } from 'vitest'
import type { EventLine } from './append-types.ts'
import type { GroupWriter } from './group-writer.ts'
import { beginExecution } from './progress.ts'
import { fenceSessions, openAttempt, takeSession } from './sessions.ts'
import { useLog } from './testing-log.ts'
import { newRun } from './testing-runs.ts'

let pool: pg.Pool
let writer: GroupWriter
useLog((log) => {
  ;({ pool, writer } = log)
})

const line = (type: EventLine['type'], key: string, phase: string, data: object): EventLine => ({
  type,
  key,
  phase,
  attempt: 1,
  data: { ...data },
})

/** A run whose phase `p` holds an agent phase `in`. */
async function nested(): Promise<{ run: string; append: (...lines: EventLine[]) => Promise<void> }> {
  const run = await newRun(pool)
  const execution = (await beginExecution(pool, run, 'x'))?.epoch ?? 0
  const append = async (...lines: EventLine[]) => {
    expect(await writer.append({ run, execution, lines })).toMatchObject({ verdict: 'written' })
  }
  await append(
    line('phase.started', 'p/1/start', 'p', { kind: 'parallel' }),
    line('phase.expanded', 'p/1/expanded', 'p', {
      phases: [{ id: 'in', kind: 'agent', position: [1, 1, 1, 1] }],
      to: 1,
    }),
  )
  return { run, append }
}

describe('an attempt that is to be gone on with', () => {
  const place = { phase: 'in', attempt: 1 }

  test('is taken, under an epoch of its own each time', async () => {
    const { run } = await nested()
    expect(await openAttempt(pool, run, place)).toMatchObject({ epoch: 1, at: { id: 'in' } })
    expect(await openAttempt(pool, run, place)).toMatchObject({ epoch: 2 })
  })

  test('is left to whoever has it where only a new one was wanted: not even its epoch moves', async () => {
    const { run } = await nested()
    expect(await openAttempt(pool, run, place, { onlyNew: true })).toMatchObject({ epoch: 1 })
    expect(await openAttempt(pool, run, place, { onlyNew: true })).toBe(undefined)
    const answer = await writer.append({
      run,
      session: { id: 'in/1', epoch: 1 },
      lines: [line('phase.completed', 'in/1/end', 'in', {})],
    })
    expect(answer).toMatchObject({ verdict: 'written' })
  })

  test('is not opened once the phase around it has closed it, however late its worker wakes', async () => {
    const { run, append } = await nested()
    await append(line('phase.failed', 'p/1/end', 'p', { error: {}, closes: true }))
    expect(await openAttempt(pool, run, place)).toBe(undefined)
  })

  test('is not opened when its phase is at another, or its run over or gone', async () => {
    const { run, append } = await nested()
    expect(await openAttempt(pool, run, { ...place, attempt: 2 })).toBe(undefined)
    await append({ type: 'run.failed', key: 'run/1/end', data: {} })
    expect(await openAttempt(pool, run, place)).toBe(undefined)
    const gone = '00000000-0000-7000-8000-000000000000'
    expect(await openAttempt(pool, gone, place)).toBe(undefined)
  })
})

describe('fenced sessions', () => {
  test('write no more, others go on, and whoever takes one anew may write', async () => {
    const { run } = await nested()
    for (const id of ['in/1', 'p/1', 'other/1']) await takeSession(pool, run, id)
    await fenceSessions(pool, run, ['in/1', 'p/1', 'never/1'])
    const end = (id: string, epoch: number, key: string) =>
      writer.append({ run, session: { id, epoch }, lines: [line('phase.completed', key, 'in', {})] })
    expect(await end('in/1', 1, 'in/1/end')).toEqual({ verdict: 'fenced' })
    expect(await end('p/1', 1, 'p/1/end')).toEqual({ verdict: 'fenced' })
    expect(await end('other/1', 1, 'other/1/end')).toMatchObject({ verdict: 'written' })
    expect(await takeSession(pool, run, 'never/1')).toBe(1)
    expect(await end('in/1', (await takeSession(pool, run, 'in/1')) ?? 0, 'in/1/end')).toMatchObject({
      verdict: 'written',
    })
  })
})
