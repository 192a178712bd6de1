import { describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { eventOf, eventsOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { agentTemplate, failing, gateTemplate, scriptedTemplate } from '../support/templates.ts'

const stack = useStack()

const requestsOf = (run: string) => stack.fake.requests.filter(({ session }) => session.startsWith(run))

/** The run's first request is answered, and not to its end. */
const streaming = (run: string) =>
  eventually(
    async () => requestsOf(run)[0]?.producedTokens ?? 0,
    (tokens) => tokens > 0,
  )
const STREAMING = `[turns=0][chunks=400][chunkDelayMs=50] [[complete:"${'many words '.repeat(200)}"]]`

test('a queued run is canceled in Postgres alone; a worker that comes later starts nothing', async () => {
  await stack.stopWorker()
  const run = await stack.submit(agentTemplate('[turns=0]'))
  expect(await stack.command(run, 'cancel')).toBe('done')
  const before = await stack.standing(run)
  expect(before.status).toBe('canceled')
  expect(before.phases.work?.status).toBe('canceled')

  await stack.startWorker()
  // The worker serves this one after the wakes before it.
  await stack.finish(scriptedTemplate({ turns: [{ reply: 'Done.' }] }))
  expect(await stack.untilQuiet(run)).toEqual(before)
  expect(requestsOf(run)).toHaveLength(0)
})

test('in the middle of a stream the provider sees the abort within two seconds, twenty times of twenty', async () => {
  const latencies = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const run = await stack.submit(agentTemplate(STREAMING))
      await streaming(run)
      // By what it is called there the provider is asked what it billed.
      await stack.untilEvent(run, 'call.started')
      const asked = Date.now()
      expect(await stack.command(run, 'cancel')).toBe('done')
      await stack.fake.waitFor(() => requestsOf(run)[0]?.abortedAt !== undefined)
      const end = await stack.untilStatus(run, 'canceled')
      expect(requestsOf(run)).toHaveLength(1)
      expect(eventOf(end, 'call.lost').data).toMatchObject({ status: 'aborted' })
      return (requestsOf(run)[0]?.abortedAt ?? 0) - asked
    }),
  )
  expect(Math.max(...latencies)).toBeLessThan(2_000)
  // The ledger shows in the end what the provider billed.
  for (const run of stack.runs) {
    const billed = requestsOf(run)
    await stack.until(run, (standing) => eventsOf(standing, 'call.reconciled').length === billed.length)
    const { rows } = await stack.pool.query<{ cost: string | null }>(
      'select sum(cost_micro_usd) as cost from devflow.model_calls where run_id = $1',
      [run],
    )
    expect(Number(rows[0]?.cost ?? 0)).toBe(
      billed.reduce((sum, { billedMicroUsd }) => sum + billedMicroUsd, 0),
    )
  }
})

describe.concurrent('a cancel', () => {
  test('at a gate closes the gate, which then takes no decision', async () => {
    const run = await stack.submit(gateTemplate())
    await stack.untilEvent(run, 'gate.opened')
    await stack.command(run, 'cancel', 'Not needed any more.')
    const end = await stack.untilStatus(run, 'canceled')
    expect(eventOf(end, 'gate.closed').data).toMatchObject({ status: 'canceled' })
    expect(eventOf(end, 'run.canceling').data).toMatchObject({
      actor: 'owner',
      reason: 'Not needed any more.',
    })
    expect(await stack.decide(run, 'ok')).toBe('closed')
    expect(await stack.command(run, 'cancel')).toBe('unchanged')
  })

  test('of a paused run ends it', async () => {
    const run = await stack.submit(gateTemplate())
    await stack.untilEvent(run, 'gate.opened')
    await stack.command(run, 'pause')
    await stack.untilEvent(run, 'run.paused')
    await stack.command(run, 'cancel')
    await stack.untilStatus(run, 'canceled')
    expect(await stack.command(run, 'resume')).toBe('over')
  })

  test('of a run paused before it began ends it in Postgres alone', async () => {
    const run = await stack.submit(gateTemplate())
    await stack.command(run, 'pause')
    await stack.command(run, 'cancel')
    await stack.untilStatus(run, 'canceled')
  })

  test('during the back-off of a phase does not wait for its end', async () => {
    const run = await stack.submit(
      scriptedTemplate({ turns: [failing] }, { phase: 'retry: { maxAttempts: 3, backoff: PT1H }' }),
    )
    await stack.untilEvent(run, 'phase.retried')
    await stack.command(run, 'cancel')
    const end = await stack.untilStatus(run, 'canceled')
    expect(end.phases.work?.status).toBe('canceled')
  })

  test('while a call waits to be repeated does not wait for that either', async () => {
    const run = await stack.submit(
      scriptedTemplate({
        turns: [{ error: { code: 'busy', message: 'Busy.', retryable: true, retryAfterMs: 3_600_000 } }],
      }),
    )
    await stack.untilEvent(run, 'turn.failed')
    await stack.command(run, 'cancel')
    const end = await stack.untilStatus(run, 'canceled')
    expect(eventsOf(end, 'call.reserved')).toHaveLength(1)
  })

  test('during a wait ends it', async () => {
    const run = await stack.submit('\nkind: template\nid: nap@1\nphases: [{ id: nap, wait: { for: P1D } }]\n')
    await stack.untilEvent(run, 'wait.opened')
    await stack.command(run, 'cancel')
    await stack.untilStatus(run, 'canceled')
  })

  test('from Temporal is a command like any other: the log hears of it first', async () => {
    const [atGate, inStream] = await Promise.all([
      stack.submit(gateTemplate()),
      stack.submit(agentTemplate(STREAMING)),
    ])
    await stack.untilEvent(atGate, 'gate.opened')
    await stack.untilEvent(inStream, 'call.started')
    for (const run of [atGate, inStream]) {
      await stack.workflow(run).cancel()
      const end = await stack.untilStatus(run, 'canceled')
      expect(eventOf(end, 'run.canceling').data).toMatchObject({ actor: 'operator', via: 'temporal' })
      await stack.workflow(run).result()
    }
    await stack.fake.waitFor(() => requestsOf(inStream)[0]?.abortedAt !== undefined)
  })

  test('that races the start of its run leaves one end, and nothing after it', async () => {
    for (let round = 0; round < 20; round += 1) {
      const run = await stack.submit(gateTemplate())
      // The very moment in which a workflow has taken the run, and not yet said so.
      await eventually(
        async () => {
          const { rows } = await stack.pool.query<{ epoch: number }>(
            'select execution_epoch as epoch from devflow.run_heads where run_id = $1',
            [run],
          )
          return rows[0]?.epoch ?? 0
        },
        (epoch) => epoch > 0,
        { pauseMs: 0 },
      )
      expect(await stack.command(run, 'cancel')).toBe('done')
      const end = await stack.untilStatus(run, 'canceled')
      expect(end.types.at(-1)).toBe('run.canceled')
      expect((await stack.untilQuiet(run)).types).toEqual(end.types)
    }
  })
})

test('a cancel while the worker is dead ends the run as canceled, and the lost call is paid for what it was', async () => {
  const run = await stack.submit(agentTemplate(STREAMING))
  await streaming(run)
  await stack.untilEvent(run, 'call.started')
  await stack.worker.kill()
  expect(await stack.command(run, 'cancel')).toBe('done')
  await stack.startWorker()

  const end = await stack.untilStatus(run, 'canceled')
  expect(end.phases.work).toMatchObject({ status: 'canceled', error: null })
  expect(requestsOf(run)).toHaveLength(1)
  const settled = await stack.untilEvent(run, 'call.reconciled')
  expect(eventOf(settled, 'call.reconciled').data.costMicroUsd).toBe(requestsOf(run)[0]?.billedMicroUsd)
})
