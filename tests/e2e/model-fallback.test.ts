import type { FakeReply, FakeRequest } from '@devflow/testing'
import { beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { eventOf, eventsOf, type Standing } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'

const FIRST = 'deepseek/deepseek-chat'
const SECOND = 'qwen/qwen3-coder'
const THIRD = 'openai/gpt-4o-mini'
const stack = useStack()

/** By the name in the prompt: what the provider answers to a model. */
const PARTS: Record<string, (request: FakeRequest) => FakeReply> = {
  'first is down': ({ model }) => (model === FIRST ? { scenario: '503' } : working()),
  'first breaks off': ({ model }) =>
    model === FIRST ? { scenario: 'eof_no_done_partial', content: 'Half an answer, then' } : working(),
  'first does not exist': ({ model }) => (model === FIRST ? { scenario: '404' } : working()),
  'all are down': () => ({ scenario: '502' }),
  'key is wrong': () => ({ scenario: '401' }),
  'down once': ({ nInSession }) => (nInSession === 1 ? { scenario: '502' } : working()),
  'second holds on': ({ model, messages }) => {
    if (model === FIRST) return { scenario: '503' }
    return messages.some(({ role }) => role === 'assistant')
      ? working()
      : {
          toolCalls: [{ name: 'list_dir', arguments: {} }],
          chunkDelayMs: 100,
          chunks: 30,
          content: 'x'.repeat(90),
        }
  },
}
const working = (): FakeReply => ({ content: 'All is done.' })

beforeAll(() => {
  stack.fake.script((request) => {
    const part = /\[(.+?)\]/.exec(request.messages.find(({ role }) => role === 'user')?.content ?? '')?.[1]
    return PARTS[part ?? '']?.(request) ?? working()
  })
})

const template = (part: string): string => `
kind: template
id: fallback@1
title: Work
roles: { worker: { persona: careful@1 } }
phases:
  - { id: work, agent: { role: worker, prompt: '[${part}] Work.' } }
---
kind: persona
id: careful@1
model: { provider: openrouter, name: ${FIRST}, fallbacks: [${SECOND}, ${FIRST}, ${THIRD}], maxOutputTokens: 500 }
tools: [list_dir]
`

/** Models called, in order. */
const called = (run: Standing): unknown[] => eventsOf(run, 'call.reserved').map(({ data }) => data.model)

async function ledgerOf(run: string): Promise<{ model: string; status: string; cost: number | null }[]> {
  const { rows } = await stack.pool.query(
    'select model, status, cost_micro_usd::float8 as cost from devflow.model_calls where run_id = $1 order by turn, call',
    [run],
  )
  return rows
}

describe.concurrent('a model', () => {
  test('that stays down gives way to the next, which answers; each call is a row of its own', async () => {
    const end = await stack.finish(template('first is down'))
    expect(end.status).toBe('completed')
    expect(called(end)).toEqual([FIRST, FIRST, FIRST, SECOND])
    const data = { from: FIRST, to: SECOND, reason: 'provider_unavailable' }
    expect(eventOf(end, 'model.fallback').data).toEqual(data)
    expect(await ledgerOf(end.id)).toEqual([
      ...Array.from({ length: 3 }, () => ({ model: FIRST, status: 'failed', cost: 0 })),
      { model: SECOND, status: 'settled', cost: expect.any(Number) },
    ])
  })

  test('that breaks off is paid for, and nothing of it is shown twice', async () => {
    const end = await stack.finish(template('first breaks off'))
    expect(end.status).toBe('completed')
    expect(end.phases.work?.output).toEqual({ text: 'All is done.' })
    const chunks = await stack.pool.query(
      `select count(*)::int as resets from devflow.run_chunks where run_id = $1 and kind = 'reset'`,
      [end.id],
    )
    expect(chunks.rows[0]?.resets).toBe(3)
    const known = (rows: { cost: number | null }[]) => rows.every(({ cost }) => cost !== null)
    const ledger = await eventually(() => ledgerOf(end.id), known)
    const requests = stack.fake.requests.filter(({ session }) => session.startsWith(end.id))
    expect(ledger.map(({ cost }) => cost)).toEqual(requests.map(({ billedMicroUsd }) => billedMicroUsd))
  })

  test('that does not exist gives way at once', async () => {
    const end = await stack.finish(template('first does not exist'))
    expect(called(end)).toEqual([FIRST, SECOND])
    expect(eventOf(end, 'model.fallback').data.reason).toBe('provider_model_not_found')
  })

  test('has each other after it once, then the phase fails with the last error', async () => {
    const end = await stack.finish(template('all are down'))
    expect(called(end)).toEqual([FIRST, FIRST, FIRST, SECOND, SECOND, SECOND, THIRD, THIRD, THIRD])
    expect(end.error).toMatchObject({ kind: 'UNAVAILABLE', code: 'provider_unavailable' })
    expect(eventsOf(end, 'model.fallback')).toHaveLength(2)
  })

  test('that is down only once is called again, and no other', async () => {
    const end = await stack.finish(template('down once'))
    expect(end.status).toBe('completed')
    expect(called(end)).toEqual([FIRST, FIRST])
    expect(end.types).not.toContain('model.fallback')
  })

  test('is not replaced for an error that stays: the phase fails at once with kind and code', async () => {
    const end = await stack.finish(template('key is wrong'))
    expect(end.error).toMatchObject({ kind: 'PERMISSION_DENIED', code: 'provider_unauthorized' })
    expect(called(end)).toEqual([FIRST])
  })
})

test('a delivery after a crash goes on with the fallback, known from the log', async () => {
  await stack.stopWorker()
  const worker = await stack.startWorker()
  const run = await stack.submit(template('second holds on'))
  await stack.until(run, ({ events }) =>
    events.some(({ type, data }) => type === 'call.reserved' && data.model === SECOND),
  )
  await worker.kill()
  await stack.startWorker()
  const end = await stack.untilStatus(run, 'completed')
  expect(end.types).toContain('session.resumed')
  const models = called(end)
  expect(models.slice(0, 3)).toEqual([FIRST, FIRST, FIRST])
  expect(models.slice(3).length).toBeGreaterThanOrEqual(3)
  expect(new Set(models.slice(3))).toEqual(new Set([SECOND]))
  expect(eventsOf(end, 'model.fallback')).toHaveLength(1)
})
