import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { expectTextOnce } from '../../crash/runs.ts'
import type { AppProcess } from '../../support/app-process.ts'
import { eventually } from '../../support/eventually.ts'
import { eventsOf } from '../../support/run-log.ts'
import { Stack } from '../../support/stack.ts'
import { type Builds, twoBuilds } from './builds.ts'
import { holdSecondTurns } from './held.ts'
import { begin, KINDS, PATIENCE_MS, type UnderWay } from './kinds.ts'

/** What a change of builds came to. */
export interface Rolled {
  stack: Stack
  /** Every run, those that runs have started included. */
  runs: string[]
  /** Executions that failed since their histories do not replay, by workflow id. */
  unlike: Set<string>
}

/**
 * Changes the build of the workers under `times` runs of every kind, all of them in the middle of something: a new worker
 * comes up beside two old ones; one of these is drained, the other killed; what people do comes partly while both builds
 * are there, and partly after.
 */
export async function roll(times: number, look: (rolled: Rolled) => Promise<void>): Promise<void> {
  const stack = new Stack({ DEVFLOW_SWEEP_MS: '1000' })
  const cache = await mkdtemp(join(tmpdir(), 'devflow-bundles-'))
  const ends: (() => Promise<unknown>)[] = [() => rm(cache, { recursive: true, force: true })]
  try {
    await stack.start()
    ends.push(() => stack.stop())
    const [drained, killed] = await Promise.all([worker(stack, cache, ends), worker(stack, cache, ends)])
    const builds = await twoBuilds(cache)
    ends.push(() => builds.remove())
    await change(stack, builds, { times, drained, killed, ends })
    await untilNothingRuns(stack)
    await look({ stack, runs: stack.runs, unlike: await executionsThatFailed(stack) })
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

async function change(
  stack: Stack,
  builds: Builds,
  workers: { times: number; drained: AppProcess; killed: AppProcess; ends: (() => Promise<unknown>)[] },
): Promise<void> {
  const { times, drained, killed, ends } = workers
  const letGo = holdSecondTurns(stack)
  const started = Array.from({ length: times }, () => Object.values(KINDS).map((kind) => begin(stack, kind)))
  const underWay = await Promise.all(started.flat())

  await worker(stack, builds.changed, ends)
  letGo()
  await drained.stop()
  // Every other kind now, while an old worker and a new one are there.
  const acts = underWay.filter(({ kind }) => kind.then !== undefined)
  await Promise.all(acts.filter((_, index) => index % 2 === 0).map(act(stack)))
  const [first] = acts
  await stack.until(first?.run ?? '', ({ status }) => status === 'completed', PATIENCE_MS)
  await killed.kill()
  await Promise.all(acts.filter((_, index) => index % 2 === 1).map(act(stack)))
  await Promise.all(
    stack.runs.map((run) =>
      stack.until(run, ({ status }) => ['completed', 'failed', 'canceled'].includes(status), PATIENCE_MS),
    ),
  )
}

async function untilNothingRuns({ client }: Stack): Promise<void> {
  const query = "ExecutionStatus = 'Running'"
  await eventually(
    () => Array.fromAsync(client.workflow.list({ query }), ({ workflowId }) => workflowId),
    (running) => running.length === 0,
  )
}

const act =
  (stack: Stack) =>
  async ({ kind, inner }: UnderWay): Promise<void> => {
    await kind.then?.(stack, inner)
  }

/** A worker that takes its workflows from that folder, and is gone at the end. */
async function worker(stack: Stack, cache: string, ends: (() => Promise<unknown>)[]): Promise<AppProcess> {
  const app = await stack.startAnotherWorker({ DEVFLOW_CACHE: cache })
  ends.push(() => app.kill())
  return app
}

async function executionsThatFailed(stack: Stack): Promise<Set<string>> {
  const failed = new Set<string>()
  for await (const { workflowId, runId } of stack.client.workflow.list({
    query: "ExecutionStatus = 'Failed'",
  })) {
    const { events } = await stack.client.workflow.getHandle(workflowId, runId).fetchHistory()
    const failure = events?.at(-1)?.workflowExecutionFailedEventAttributes?.failure
    expect(failure?.message, workflowId).toMatch(/nondeterminism|TMPRL1100/i)
    failed.add(workflowId)
  }
  return failed
}

/** All that must hold of every run, whichever builds it was under. */
export async function expectAllIsWell({ stack, runs, unlike }: Rolled): Promise<void> {
  for (const run of runs) {
    const standing = await stack.standing(run)
    expect(standing.status, JSON.stringify(standing.error)).toBe('completed')
    expect(eventsOf(standing, 'run.started')).toHaveLength(1)
    await expectTextOnce(stack, run)
    expect(eventsOf(standing, 'gate.decided')).toHaveLength(eventsOf(standing, 'gate.opened').length)
  }
  expect(await stack.brokenLogs()).toEqual({})
  expect(await stack.brokenReports()).toEqual({})
  await expectNoTurnTwice(stack)
  // Of both: those whose histories replay with the new build stay where they are.
  expect(unlike.size).toBeGreaterThan(0)
  expect(unlike.size).toBeLessThan(runs.length)
}

/** No turn on record is asked for again, and every request is on the books, ended. */
async function expectNoTurnTwice({ fake, pool, runs }: Stack): Promise<void> {
  const { rows } = await pool.query<{ turn: string; at: Date | null; calls: number; open: number }>(
    `select m.run_id || '/' || m.phase || '/' || m.attempt || '/' || m.turn as turn,
       (select e.at from devflow.run_events e where e.run_id = m.run_id and e.type = 'turn.completed'
          and e.phase = m.phase and e.attempt = m.attempt and e.turn = m.turn) as at,
       count(*)::int as calls, count(*) filter (where m.status = 'reserved')::int as open
     from devflow.model_calls m where m.run_id = any($1) group by m.run_id, m.phase, m.attempt, m.turn`,
    [runs],
  )
  const turns = new Map(rows.map((row) => [row.turn, row]))
  const asked = new Map<string, number[]>()
  for (const { session, at, body } of fake.requests) {
    const turn = `${session}/${body.messages.filter(({ role }) => role === 'assistant').length + 1}`
    asked.set(turn, [...(asked.get(turn) ?? []), at])
  }
  expect([...asked.keys()].filter((turn) => !turns.has(turn))).toEqual([])
  const faults = rows.filter(({ turn, at, calls, open }) => {
    const times = asked.get(turn) ?? []
    return open > 0 || times.length > calls || at === null || times.some((time) => time > at.getTime())
  })
  expect(faults).toEqual([])
}
