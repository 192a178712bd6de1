import { randomUUIDv7 } from 'node:crypto'
import {
  type Budget,
  CHANNELS,
  DEFAULT_TENANT,
  type DecisionKind,
  kindOf,
  TEMPORAL,
} from '@devflow/contracts'
import {
  type CommandAnswer,
  commandRun,
  type DecisionAnswer,
  decideGate,
  receiveSignal,
  type SignalAnswer,
  submitRun,
  type Verb,
  wakeRun,
} from '@devflow/db'
import type { WorkflowHandle } from '@temporalio/client'
import { afterAll, beforeAll } from 'vitest'
import { compileEntries } from './compile-entries.ts'
import { eventually } from './eventually.ts'
import { brokenLaws } from './log-laws.ts'
import { Parts } from './parts.ts'
import { replay, wasCutInTwo } from './replay.ts'
import { brokenReports } from './report-laws.ts'
import { readStanding, type Standing } from './run-log.ts'

/** A lost poke only delays what a test waits for by this much. */
const SLOWEST_LOOK_MS = 1_000
const PATIENCE_MS = 20_000

/** Of a file's executions so many are replayed at its end, the latest first. */
const MOST_REPLAYS = 24

export interface Submission {
  input?: unknown
  bindings?: Record<string, string>
  budget?: Budget
  workspace?: { repo: string; base?: string; setup?: string[][] }
}

/** How somebody decides a gate. */
export interface Say {
  actor?: string
  decision?: DecisionKind
  comment?: string
  subjectHash?: string
  raiseToMicroUsd?: number
  holds?: string[]
}

/** The parts, and what an API does with them: commands are rows first, then somebody is poked. */
export class Stack extends Parts {
  readonly runs: string[] = []

  /** Submits a run of a template, given by id or as YAML text, and answers its id. */
  async submit(template: string, { input, bindings, budget, workspace }: Submission = {}): Promise<string> {
    const { definition, hash, bindings: bound } = await compileEntries(template, bindings)
    const run = randomUUIDv7()
    await submitRun(this.pool, {
      run,
      tenant: DEFAULT_TENANT,
      definition,
      submitted: {
        format: 1,
        template: definition.template,
        title: definition.title,
        definitionHash: hash,
        input: (input ?? null) as never,
        labels: {},
        budget: { ...definition.budget, ...budget },
        ...(workspace ? { workspace } : {}),
        actor: 'owner',
        bindings: bound,
        phases: definition.phases.map((phase) => ({ id: phase.id, kind: kindOf(phase) })),
      },
    })
    this.runs.push(run)
    await this.#poke(CHANNELS.outbox)
    return run
  }

  async command(run: string, verb: Verb, reason?: string): Promise<CommandAnswer> {
    const answer = await commandRun(this.pool, {
      run,
      verb,
      actor: 'owner',
      via: 'api',
      ...(reason ? { reason } : {}),
    })
    await this.#poke(CHANNELS.outbox)
    await this.#poke(CHANNELS.control, run)
    return answer
  }

  async decide(
    run: string,
    gate: string,
    { actor = 'owner', decision = 'approve', holds, ...say }: Say = {},
  ): Promise<DecisionAnswer> {
    const answer = await decideGate(this.pool, {
      run,
      gate,
      actor,
      decision,
      holds: holds ?? [`principal:${actor}`, ...(actor === 'owner' ? ['owner'] : [])],
      via: 'api',
      ...say,
    })
    await this.#poke(CHANNELS.outbox)
    return answer
  }

  async signal(run: string, name: string, id: string, data?: unknown): Promise<SignalAnswer> {
    const answer = await receiveSignal(this.pool, { run, name, id, data, actor: 'owner' })
    await this.#poke(CHANNELS.outbox)
    return answer
  }

  /** Puts a wake in the outbox, as anyone may at any time. */
  async wake(run: string): Promise<void> {
    await wakeRun(this.pool, run)
  }

  workflow(run: string): WorkflowHandle {
    return this.client.workflow.getHandle(TEMPORAL.workflowId(run))
  }

  /** How many executions a run took, and how many events the longest history of them has. */
  async histories(run: string): Promise<{ executions: number; longest: number }> {
    await this.untilQuiet(run)
    const workflowId = TEMPORAL.workflowId(run)
    let [executions, longest] = [0, 0]
    for await (const { runId } of this.client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
      const { events } = await this.client.workflow.getHandle(workflowId, runId).fetchHistory()
      executions += 1
      longest = Math.max(longest, events?.length ?? 0)
    }
    return { executions, longest }
  }

  standing(run: string): Promise<Standing> {
    return readStanding(this.pool, run)
  }

  /** Waits until the run stands as the condition says, looking whenever its log grows. */
  async until(
    run: string,
    holds: (standing: Standing) => boolean,
    patienceMs = PATIENCE_MS,
  ): Promise<Standing> {
    const started = performance.now()
    for (;;) {
      const news = this.#news(run)
      const standing = await this.standing(run)
      if (holds(standing)) {
        news.forget()
        return standing
      }
      if (performance.now() - started > patienceMs) {
        news.forget()
        throw new Error(
          `run ${run} is ${standing.status} and did not come there within ${patienceMs} ms:\n${standing.types.join('\n')}\n${JSON.stringify(standing.error)}\n${this.printed().slice(-3_000)}`,
        )
      }
      await news.come
    }
  }

  /** Waits until the run has one of these statuses. */
  untilStatus(run: string, ...statuses: string[]): Promise<Standing> {
    return this.until(run, ({ status }) => statuses.includes(status))
  }

  /** Waits until the run's log holds an event of this type, as many as told. */
  untilEvent(run: string, type: string, count = 1): Promise<Standing> {
    return this.until(run, ({ types }) => types.filter((other) => other === type).length >= count)
  }

  /** Waits until no wake of the run is under way and its workflow has ended: what is then written is all there is. */
  async untilQuiet(run: string): Promise<Standing> {
    await eventually(
      async () => {
        const { rows } = await this.pool.query('select 1 from devflow.outbox where run_id = $1', [run])
        return rows.length
      },
      (wakes) => wakes === 0,
    )
    await this.workflow(run).result()
    return await this.standing(run)
  }

  /** Submits a run and waits for its end. */
  async finish(template: string, submission?: Submission): Promise<Standing> {
    return await this.untilStatus(await this.submit(template, submission), 'completed', 'failed', 'canceled')
  }

  /** What is wrong with the logs of all runs submitted so far. */
  brokenLogs(): Promise<Record<string, string[]>> {
    return brokenLaws(this.pool, this.databaseUrl, this.runs)
  }

  /** What is wrong with the reports of all runs submitted so far. */
  brokenReports(): Promise<Record<string, string[]>> {
    return brokenReports(this.pool, DEFAULT_TENANT, this.runs)
  }

  /** What a replay of the histories of these runs says; nothing when the workflow is deterministic in all of them. */
  async brokenReplays(): Promise<Record<string, string>> {
    const histories: Parameters<typeof replay>[0][number][] = []
    for await (const { workflowId, runId } of this.client.workflow.list({
      query: `WorkflowType = '${TEMPORAL.workflowType}'`,
    })) {
      if (histories.length === MOST_REPLAYS) break
      const history = await this.client.workflow.getHandle(workflowId, runId).fetchHistory()
      if (!wasCutInTwo(history)) histories.push({ workflowId, history })
    }
    const unlike = await replay(histories)
    for (const { workflowId, history } of histories) {
      if (unlike[workflowId] !== undefined) unlike[workflowId] += ` History: ${outline(history)}`
    }
    return unlike
  }

  #news(run: string): { come: Promise<void>; forget: () => void } {
    let forget = () => {}
    const come = new Promise<void>((resolve) => {
      const timer = setTimeout(() => forget(), SLOWEST_LOOK_MS)
      const unsubscribe = this.listener.subscribe(CHANNELS.run, {
        notified: (payload) => {
          if (payload.split(' ').includes(run)) forget()
        },
      })
      forget = () => {
        clearTimeout(timer)
        unsubscribe()
        resolve()
      }
    })
    return { come, forget: () => forget() }
  }

  async #poke(channel: string, payload = ''): Promise<void> {
    await this.pool.query('select pg_notify($1, $2)', [channel, payload])
  }
}

/** What kinds of events a history has, in order: what went on is mostly seen in how its tasks ended. */
const outline = ({ events }: { events?: readonly object[] | null }): string => {
  const kinds = (events ?? []).map((event) =>
    Object.keys(event).find((key) => key.endsWith('EventAttributes')),
  )
  return kinds.filter((kind, at) => kind !== kinds[at - 1]).join(' ')
}

/**
 * A stack for a test file, with more of the worker's environment if told; started before its tests and ended after them; then every log and report must be in order, and
 * the histories must replay.
 */
export function useStack(env: Record<string, string> = {}): Stack {
  const stack = new Stack(env)
  beforeAll(async () => {
    await stack.start()
    await stack.startWorker()
  })
  afterAll(async () => {
    try {
      const broken = await stack.brokenLogs()
      if (Object.keys(broken).length > 0)
        throw new Error(`logs that break the laws: ${JSON.stringify(broken, null, 2)}`)
      const untrue = await stack.brokenReports()
      if (Object.keys(untrue).length > 0)
        throw new Error(`reports that break the laws: ${JSON.stringify(untrue, null, 2)}`)
      const unlike = await stack.brokenReplays()
      if (Object.keys(unlike).length > 0)
        throw new Error(`histories that do not replay: ${JSON.stringify(unlike, null, 2)}`)
    } finally {
      await stack.stop()
    }
  })
  return stack
}
