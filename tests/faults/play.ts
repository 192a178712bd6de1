import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type FakeOpenRouter, startFakeOpenRouter } from '@devflow/testing'
import { Client, Connection } from '@temporalio/client'
import { expectSameSums } from '../crash/money.ts'
import { call, expectWholeLog } from '../crash/runs.ts'
import { Stack } from '../crash/stack.ts'
import { isAlive } from '../support/alive.ts'
import { brokenLaws } from '../support/log-laws.ts'
import { replay, wasCutInTwo } from '../support/replay.ts'
import { brokenReports } from '../support/report-laws.ts'
import { readStanding } from '../support/run-log.ts'
import { allSteps, asksForHelp, type Case } from './case.ts'
import { differences, paidAgain, repeatsOf } from './compare.ts'
import { entriesOf, SHARED } from './entries.ts'
import { type Fault, type FaultKind, settableClocks, strike } from './faults.ts'
import { type Story, storyOf, turnsIn } from './meaning.ts'
import { attend, comeEarly } from './people.ts'
import { cast, players } from './provider.ts'
import type { Meaning } from './running.ts'
import { follow } from './sequels.ts'

export interface Figures {
  runs: number
  turns: number
  requests: number
  repeated: number
  faults: FaultKind[]
  seconds: number
}

/** What came of cases: what is wrong with each, by its name; and with all of them together. */
export interface Played {
  wrong: Map<string, string[]>
  figures: Figures
}

/** Faults after which a session may ask once more for a turn that was under way. */
const CUTS_OFF: readonly FaultKind[] = ['worker', 'temporal', 'postgres', 'freeze', 'stall', 'all', 'store']

/** How often it is looked whether runs are over. */
const LOOK_MS = 100

/** Of a stack's executions so many are replayed. */
const MOST_REPLAYS = 60

/** A stack of real processes with a provider that plays all cases. */
export class Theatre {
  readonly stack: Stack
  readonly provider: FakeOpenRouter

  readonly #folder: string
  #hasAsked = false

  private constructor(stack: Stack, provider: FakeOpenRouter, folder: string) {
    this.stack = stack
    this.provider = provider
    this.#folder = folder
  }

  static async open(): Promise<Theatre> {
    const folder = mkdtempSync(join(tmpdir(), 'devflow-faults-'))
    const provider = await startFakeOpenRouter({ handler: players() })
    try {
      const env = settableClocks(clockIn(folder))
      const theatre = new Theatre(await Stack.start({ workers: 2, provider, env }), provider, folder)
      await theatre.#register(SHARED)
      return theatre
    } catch (error) {
      await provider.close()
      throw error
    }
  }

  /** Ends the stack; rejects when one of its processes stays. */
  async close(): Promise<void> {
    const { pids } = this.stack.ready
    await this.stack.close()
    await this.provider.close()
    rmSync(this.#folder, { recursive: true, force: true })
    const left = Object.values(pids).flat().filter(isAlive)
    if (left.length > 0) throw new Error(`left running: ${left}`)
  }

  /** Runs cases all at once under a plan of faults, and compares each with what it means. `ends`: nothing else is looked at. */
  async play(
    cases: readonly Case[],
    plan: readonly Fault[],
    patienceMs: number,
    only?: 'ends',
  ): Promise<Played> {
    const { stack, provider } = this
    const started = performance.now()
    const before = provider.requests.length
    for (const found of cases) cast(found)
    await this.#register(cases.flatMap(entriesOf))
    const stories = new Map(cases.map((found) => [found, storyOf(found)]))
    const turns = [...stories.values()].reduce((sum, story) => sum + turnsIn(story), 0)

    let isOver = false
    const over = () => isOver
    const share = () => (provider.requests.length - before) / Math.max(1, turns)
    const attending = settledLater(attend(stack, cases, over))
    const striking = settledLater(strike(stack, plan, { share, isOver: over, clock: clockIn(this.#folder) }))
    const wrong = new Map<string, string[]>()
    const tell = (found: Case, ...faults: string[]) => {
      if (faults.length > 0) wrong.set(found.name, [...(wrong.get(found.name) ?? []), ...faults])
    }
    const runs = new Map<string, { found: Case; means: Meaning }>()
    const following = new Set<string>()
    /** Submits a case, and goes on with it when its run is over. */
    const begin = async (found: Case, story: Story) => {
      const run = await this.#submit(found)
      runs.set(run, { found, means: story.run })
      following.add(run)
      follow(stack, run, found, story, over)
        .then((fork) => {
          if (fork && typeof story.fork === 'object') runs.set(fork, { found, means: story.fork })
        })
        .catch((error: Error) => tell(found, error.message))
        .finally(() => following.delete(run))
    }
    let left: string[]
    try {
      for (const [found, story] of stories) await begin(found, story)
      left = await this.#untilOver(() => [...runs.keys()], following, patienceMs)
    } finally {
      isOver = true
      await Promise.allSettled([striking(), attending()])
    }
    const [faults] = await Promise.all([striking(), attending()])

    this.#hasAsked ||= faults.includes('asking')
    const cuts = faults.filter((kind) => CUTS_OFF.includes(kind)).length
    let repeated = 0
    for (const [run, { found, means }] of runs) {
      if (left.includes(run)) {
        tell(found, `the run ${run} does not end: ${await stuckAt(stack.pool, run)}`)
        continue
      }
      if (this.#canTell(found)) tell(found, ...(await differences(stack.pool, run, means)))
      if (only) continue
      const family = await this.#family(run)
      const sent = provider.requests.filter(({ session }) => family.some((each) => session.startsWith(each)))
      tell(found, ...paidAgain(means, run, sent))
      for (const [session, count] of repeatsOf(found, sent)) {
        repeated += count
        if (count > cuts) tell(found, `${count} requests of ${session} were made again, after ${cuts} cuts`)
      }
      for (const each of family) {
        const broken = await expectWholeLog(stack, each, { repeats: Number.POSITIVE_INFINITY }).catch(
          (error: Error) => error,
        )
        if (broken) tell(found, broken.message)
      }
    }
    if (left.length === 0 && !only) await this.#lawsOfAll(runs, tell)
    const figures = {
      runs: runs.size,
      turns,
      requests: provider.requests.length - before,
      repeated,
      faults,
      seconds: Math.round((performance.now() - started) / 100) / 10,
    }
    return { wrong, figures }
  }

  /** Nothing is left running, the books agree, projections are true, histories replay. */
  async #lawsOfAll(
    runs: Map<string, { found: Case }>,
    tell: (found: Case, ...faults: string[]) => void,
  ): Promise<void> {
    const { stack } = this
    const families = new Map<string, Case>()
    for (const [run, { found }] of runs) for (const each of await this.#family(run)) families.set(each, found)
    const all = [...families.keys()]
    const tellOf = (broken: Record<string, unknown>) => {
      for (const [run, faults] of Object.entries(broken)) {
        const found = families.get(run)
        if (found) tell(found, JSON.stringify(faults))
      }
    }
    await this.#untilNothingIsLeft()
    await expectSameSums(stack, all)
    tellOf(await brokenLaws(stack.pool, stack.ready.databaseUrl, all))
    tellOf(await brokenReports(stack.pool, 'default', all))
    tellOf(await this.#brokenReplays())
  }

  /** What a case comes to is not told where a budget is refused, or asks while an agent helps another. */
  #canTell({ template, children, budget }: Case): boolean {
    const isHelped = [template, ...children].some(({ steps }) => allSteps(steps).some(asksForHelp))
    return budget?.refusedAt === undefined && !(this.#hasAsked && isHelped)
  }

  async #register(entries: Record<string, unknown>[]): Promise<void> {
    const changes = entries.map((entry) => ({ op: 'create', entry }))
    const response = await call(this.stack, '/v1/registry/changes', {
      method: 'POST',
      body: JSON.stringify({ changes }),
    })
    if (response.status !== 200) throw new Error(await response.text())
  }

  async #submit(found: Case): Promise<string> {
    const { template, input, hasWorkspace, budget: asked, name } = found
    const workspace = hasWorkspace ? { workspace: { repo: this.stack.repository } } : {}
    const budget = asked ? { budget: { limitTokens: asked.tokens, onExceeded: 'prompt' } } : {}
    const response = await call(this.stack, '/v1/runs', {
      method: 'POST',
      body: JSON.stringify({ template: template.id, input, ...workspace, ...budget }),
      headers: { 'idempotency-key': name },
    })
    const run = (await response.json()) as { id: string }
    if (response.status !== 201 && response.status !== 200) throw new Error(JSON.stringify(run))
    await comeEarly(this.stack, run.id, found)
    return run.id
  }

  /** A run and all that it started, however deep. */
  async #family(run: string): Promise<string[]> {
    const { rows } = await this.stack.pool.query<{ id: string }>(
      `with recursive family as (select id from devflow.runs where id = $1 union all
         select r.id from devflow.runs r join family f on r.parent = f.id) select id from family`,
      [run],
    )
    return rows.map(({ id }) => id)
  }

  /**
   * Resolves when all have ended and nobody follows any of them; or to those that have not when nothing has happened in
   * any of them for so long. That is counted in answers of Postgres: on a slow machine they take longer, too.
   */
  async #untilOver(
    runs: () => string[],
    following: ReadonlySet<string>,
    patienceMs: number,
  ): Promise<string[]> {
    const query = `select r.id, h.seq from devflow.runs r join devflow.run_heads h on h.run_id = r.id
      where r.ended_at is null and (r.id = any($1) or r.parent is not null) order by r.id`
    let [seen, looks] = ['', 0]
    for (;;) {
      // First: who is followed now may be retried while it is looked for what is open.
      const followed = following.size
      const open = await this.stack.pool.query<{ id: string }>(query, [runs()]).catch(() => undefined)
      if (open?.rows.length === 0 && followed === 0) return []
      const now = JSON.stringify([open?.rows, followed])
      if (now !== seen) [seen, looks] = [now, 0]
      if (open) looks += 1
      if (looks > patienceMs / LOOK_MS)
        return open ? [...open.rows.map(({ id }) => id), ...following] : runs()
      await pause(LOOK_MS)
    }
  }

  async #untilNothingIsLeft(): Promise<void> {
    const { pool, ready } = this.stack
    const connection = await Connection.connect({ address: ready.temporalAddress })
    try {
      const client = new Client({ connection })
      for (let looks = 0; ; looks += 1) {
        const { rows } = await pool.query('select run_id from devflow.outbox')
        const { count } = await client.workflow.count(
          "ExecutionStatus = 'Running' and WorkflowType = 'runWorkflow'",
        )
        if (rows.length === 0 && count === 0) return
        if (looks > 200) throw new Error(`left: ${rows.length} outbox rows, ${count} workflows`)
        await pause(100)
      }
    } finally {
      await connection.close()
    }
  }

  async #brokenReplays(): Promise<Record<string, string>> {
    const connection = await Connection.connect({ address: this.stack.ready.temporalAddress })
    try {
      const client = new Client({ connection })
      const histories: Parameters<typeof replay>[0][number][] = []
      for await (const { workflowId, runId } of client.workflow.list({
        query: "WorkflowType = 'runWorkflow'",
      })) {
        if (histories.length === MOST_REPLAYS) break
        const history = await client.workflow.getHandle(workflowId, runId).fetchHistory()
        if (!wasCutInTwo(history)) histories.push({ workflowId, history })
      }
      const broken = await replay(histories)
      return Object.fromEntries(
        Object.entries(broken).map(([id, message]) => [id.replace(/^run-/, ''), message]),
      )
    } finally {
      await connection.close()
    }
  }
}

const clockIn = (folder: string): string => join(folder, 'clock')

/** A promise that is looked at later; its rejection waits until then. */
function settledLater<T>(promise: Promise<T>): () => Promise<T> {
  promise.catch(() => {})
  return () => promise
}

/** Where a run stands that does not end. */
async function stuckAt(pool: Stack['pool'], run: string): Promise<string> {
  const { id, status, phases, types } = await readStanding(pool, run)
  const open = Object.entries(phases).filter(([, { status }]) => status === 'running' || status === 'waiting')
  const { rows } = await pool.query<{ id: string; status: string }>(
    'select id, status from devflow.runs where parent = $1 and ended_at is null',
    [id],
  )
  return JSON.stringify({ status, open, latest: types.slice(-5), children: rows })
}
