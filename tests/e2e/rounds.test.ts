import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CallSlots,
  createControlActivities,
  createDefinitions,
  type Deps,
  FunctionPool,
  Sandbox,
} from '@devflow/activities'
import { type ControlActivities, scrubber } from '@devflow/contracts'
import { GroupWriter } from '@devflow/db'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventsOf } from '../support/run-log.ts'
import { Stack } from '../support/stack.ts'
import { flowTemplate, gateTemplate } from '../support/templates.ts'

// Without a worker: the test asks what a workflow asks, and asks it again.
const stack = new Stack({})
let control: ControlActivities
let deps: Deps
let writer: GroupWriter
let dataDir: string
beforeAll(async () => {
  await stack.start()
  dataDir = await mkdtemp(join(tmpdir(), 'devflow-rounds-'))
  writer = new GroupWriter(stack.databaseUrl, stack.pool)
  const ignore = () => {}
  const log = { debug: ignore, info: ignore, warn: ignore, error: ignore }
  const sandbox = await Sandbox.open({ path: '' })
  deps = {
    pool: stack.pool,
    writer,
    listener: stack.listener,
    definitions: createDefinitions(stack.pool),
    adapters: {},
    prices: { of: async () => undefined, windowOf: async () => undefined },
    slots: new CallSlots(1),
    dataDir,
    sandbox,
    functions: new FunctionPool({
      ...{ sandbox, environment: {}, withheld: { env: new Set(), folders: [] } },
      ...{ most: 1, memoryMb: 256, idleMs: 1_000 },
    }),
    servers: {},
    workspaceRoots: [],
    secrets: [],
    scrub: scrubber([]),
    log,
    times: {
      heartbeatTimeoutMs: 1_500,
      heartbeatIntervalMs: 150,
      inARowMs: 5_000,
      drainMs: 1_000,
      callBackoffMs: 50,
      callPatienceMs: 60_000,
    },
    observeSession: (_, play) => play(),
    reach: ignore,
  }
  control = createControlActivities(deps)
})
afterAll(async () => {
  await writer.close()
  await stack.stop()
  await rm(dataDir, { recursive: true, force: true })
})

test('what a workflow asks once more, after its answer was lost, does nothing to the round that a retry has opened', async () => {
  const run = await stack.submit(gateTemplate())
  const begun = await control.begin({ runId: run, execution: 'first' })
  if (begun.over) throw new Error('the run is over')
  expect(begun.first).toMatchObject({ do: 'wait' })
  const step = { runId: run, epoch: begun.epoch, round: begun.attempt, step: 'ok' }
  await stack.decide(run, 'ok', { decision: 'reject' })
  const end = await control.enter(step)
  expect(end).toEqual({ do: 'end', outcome: 'failed', phase: 'ok' })
  const round = {
    runId: run,
    epoch: begun.epoch,
    round: begun.attempt,
    outcome: 'failed' as const,
    phase: 'ok',
  }
  expect(await control.conclude(round)).toMatchObject({ outcome: 'failed', over: true })
  expect(await stack.command(run, 'retry')).toBe('done')

  expect(await control.enter(step)).toEqual({ do: 'again' })
  expect(await control.conclude(round)).toBeUndefined()
  const retried = await stack.standing(run)
  expect(retried).toMatchObject({ status: 'queued', attempt: 2 })
  expect(eventsOf(retried, 'run.failed')).toHaveLength(1)

  const again = await control.begin({ runId: run, execution: 'first' })
  expect(again).toMatchObject({ over: false, attempt: 2, first: { do: 'wait', why: 'gate' } })
  expect(eventsOf(await stack.standing(run), 'run.started')).toHaveLength(2)
})

test('a gate inside that ends the run, decided while a workflow looks, lets nothing after it begin', async () => {
  const phases = `
  - id: both
    parallel: { branches: [[{ id: ok, gate: { title: Go on?, onReject: end } }, { id: after, wait: { for: PT1H } }]] }
`
  const run = await stack.submit(flowTemplate(phases))
  const begun = await control.begin({ runId: run, execution: 'first' })
  if (begun.over) throw new Error('the run is over')
  const step = { runId: run, epoch: begun.epoch, round: begun.attempt, step: 'both' }
  await control.enter(step)
  expect((await stack.standing(run)).phases.ok?.status).toBe('waiting')

  // The decision comes between the reading of gates and that of phases.
  let isDecided = false
  const pool = new Proxy(deps.pool, {
    get: (target, name) => {
      if (name !== 'query') return Reflect.get(target, name)
      return async (...args: Parameters<typeof target.query>) => {
        if (JSON.stringify(args).includes('"open-phases"') && !isDecided) {
          isDecided = true
          await stack.decide(run, 'ok', { decision: 'reject' })
        }
        return await Reflect.apply(target.query, target, args)
      }
    },
  })
  const end = await createControlActivities({ ...deps, pool }).enter(step)
  expect({ isDecided, end }).toMatchObject({ isDecided: true, end: { do: 'end', outcome: 'completed' } })
  expect((await stack.standing(run)).phases).toMatchObject({
    both: { status: 'completed' },
    after: { status: 'canceled' },
  })
  expect(eventsOf(await stack.standing(run), 'wait.opened')).toEqual([])
})

test('a step that sent the run back, asked once more after its answer was lost, waits for what is done again', async () => {
  const phases = `
  - { id: first, gate: { title: Begin? } }
  - { id: ok, gate: { title: Go on?, onReject: { goto: first } } }
`
  const run = await stack.submit(flowTemplate(phases))
  const begun = await control.begin({ runId: run, execution: 'first' })
  if (begun.over) throw new Error('the run is over')
  const at = (step: string) => ({ runId: run, epoch: begun.epoch, round: begun.attempt, step })
  await stack.decide(run, 'first')
  expect(await control.enter(at('first'))).toMatchObject({ do: 'next' })
  await control.enter(at('ok'))
  await stack.decide(run, 'ok', { decision: 'reject' })
  expect(await control.enter(at('ok'))).toEqual({ do: 'back', to: 'first' })
  expect(await control.enter(at('first'))).toMatchObject({ do: 'wait' })

  expect(await control.enter(at('ok'))).toEqual({ do: 'back', to: 'first' })
  expect((await stack.standing(run)).phases).toMatchObject({
    first: { status: 'waiting', attempt: 2 },
    ok: { status: 'pending', attempt: 2 },
  })
})
