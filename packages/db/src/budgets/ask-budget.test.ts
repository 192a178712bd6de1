import type pg from 'pg'
import { beforeEach, expect, test } from 'vitest'
import type { Overrun } from '../append-types.ts'
import { decideGate } from '../command/index.ts'
import type { GroupWriter } from '../group-writer.ts'
import { phasesById } from '../progress.ts'
import { takeSession } from '../sessions.ts'
import { useLog } from '../testing-log.ts'
import { newRun } from '../testing-runs.ts'
import { askBudget } from './ask-budget.ts'

const over: Overrun = {
  scope: 'run',
  onExceeded: 'prompt',
  limitTokens: 10,
  leftTokens: 0,
  wantedTokens: 5,
  exceeded: ['tokens'],
}
let pool: pg.Pool
let writer: GroupWriter
useLog((log) => {
  pool = log.pool
  writer = log.writer
})

let run: string
let epoch: number
beforeEach(async () => {
  run = await newRun(pool, { budget: { limitTokens: 10, onExceeded: 'prompt' } })
  epoch = (await takeSession(pool, run, 'p/1')) ?? 0
  await writer.append({
    run,
    session: { id: 'p/1', epoch },
    lines: [{ type: 'phase.started', key: 'p/1/start', phase: 'p', attempt: 1, data: { kind: 'agent' } }],
  })
})

const ask = () =>
  askBudget(pool, {
    run,
    session: { id: 'p/1', epoch },
    phase: 'p',
    attempt: 1,
    start: undefined,
    over,
    title: 'Raise it?',
    hash: 'x',
  })
const reject = (gate: string) =>
  decideGate(pool, { run, gate, actor: 'owner', holds: ['owner'], decision: 'reject', via: 'http' })
const statusOf = async (phase: string) => (await phasesById(pool, run, [phase]))[0]?.status

test('what asks again while its gate is open waits at the same one', async () => {
  expect([await ask(), await ask()]).toEqual(['budget', 'budget'])
  expect(await statusOf('p')).toBe('waiting')
})

test('a phase that failed at its gate asks no more, though a part of it is still at work', async () => {
  expect(await ask()).toBe('budget')
  expect(await reject('budget')).toBe('accepted')
  expect(await statusOf('p')).toBe('failed')
  expect(await ask()).toBeUndefined()
  expect(await statusOf('p')).toBe('failed')
})

test('a phase that failed at its gate gets no more calls, also those that would fit', async () => {
  await ask()
  await reject('budget')
  const place = { phase: 'p~1.1', attempt: 1, turn: 1 }
  const answer = await writer.append({
    run,
    session: { id: 'p/1', epoch },
    reserve: { microUsd: 0, tokens: 1 },
    lines: [{ type: 'call.reserved', key: 'p~1.1/1/1/call-1/reserved', ...place, data: { call: 1 } }],
  })
  expect(answer).toMatchObject({ verdict: 'refused', code: 'canceled' })
})

test('an attempt that another has followed asks no more', async () => {
  await writer.append({
    run,
    execution: 0,
    lines: [
      { type: 'phase.failed', key: 'p/1/end', phase: 'p', attempt: 1, data: { error: { kind: 'INTERNAL' } } },
      { type: 'phase.retried', key: 'p/2/retried', phase: 'p', attempt: 2, data: { after: 'PT0S' } },
    ],
  })
  expect(await ask()).toBeUndefined()
  expect(await statusOf('p')).toBe('pending')
})
