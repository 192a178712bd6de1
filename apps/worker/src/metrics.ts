import { type Answer, GroupWriter, type GroupWriterOptions, type Line, type Member } from '@devflow/db'
import {
  bounded,
  Counter,
  Gauge,
  Histogram,
  poolGauge,
  processRegistry,
  SECONDS,
} from '@devflow/process/metrics'
import type { WorkflowClientInterceptor } from '@temporalio/client'
import type { Worker } from '@temporalio/worker'
import type pg from 'pg'
import type { CallEnd, CallObserver } from './observed-model.ts'
import { ORPHANS } from './orphans/sweep.ts'

const GROUP_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256]

/** A worker's figures for Prometheus. Labels are types and states of ours, and names that are cut off at a hundred. */
export class WorkerMetrics {
  readonly registry = processRegistry()
  readonly #registers = [this.registry]
  readonly #appends = new Counter({
    name: 'devflow_appends_total',
    help: 'Appends to the log by their answer',
    labelNames: ['verdict'],
    registers: this.#registers,
  })
  readonly #appendSeconds = new Histogram({
    name: 'devflow_append_seconds',
    help: 'Time of an append, from its queueing to its answer',
    buckets: SECONDS,
    registers: this.#registers,
  })
  readonly #groupMembers = new Histogram({
    name: 'devflow_append_group_members',
    help: 'Appends that committed together',
    buckets: GROUP_SIZES,
    registers: this.#registers,
  })
  readonly #groupSeconds = new Histogram({
    name: 'devflow_append_group_seconds',
    help: 'Time of a group, from its sending to its answer',
    buckets: SECONDS,
    registers: this.#registers,
  })
  readonly #events = new Counter({
    name: 'devflow_events_total',
    help: 'Events written by this worker',
    labelNames: ['type'],
    registers: this.#registers,
  })
  readonly #chunks = new Counter({
    name: 'devflow_chunks_total',
    help: 'Chunks written by this worker',
    labelNames: ['kind'],
    registers: this.#registers,
  })
  readonly #cost = new Counter({
    name: 'devflow_cost_micro_usd_total',
    help: 'Cost of calls as it came on record, in micro-dollars',
    labelNames: ['source'],
    registers: this.#registers,
  })
  readonly #wakes = new Counter({
    name: 'devflow_wakes_total',
    help: 'Wakes brought to Temporal',
    labelNames: ['result'],
    registers: this.#registers,
  })
  readonly #orphans = new Counter({
    name: 'devflow_orphans_total',
    help: 'What was left behind and is mended',
    labelNames: ['kind'],
    registers: this.#registers,
  })
  readonly #calls = new Counter({
    name: 'devflow_provider_calls_total',
    help: 'Calls to providers that are over',
    labelNames: ['provider', 'model', 'status'],
    registers: this.#registers,
  })
  readonly #openCalls = new Gauge({
    name: 'devflow_provider_calls_open',
    help: 'Calls to providers under way',
    labelNames: ['provider'],
    registers: this.#registers,
  })
  readonly #callSeconds = new Histogram({
    name: 'devflow_provider_call_seconds',
    help: 'Time of a call to a provider',
    labelNames: ['provider'],
    buckets: SECONDS,
    registers: this.#registers,
  })
  readonly #firstPieceSeconds = new Histogram({
    name: 'devflow_provider_first_piece_seconds',
    help: 'Time until the first piece of an answer',
    labelNames: ['provider'],
    buckets: SECONDS,
    registers: this.#registers,
  })
  readonly #tokens = new Counter({
    name: 'devflow_provider_tokens_total',
    help: 'Tokens as providers count them',
    labelNames: ['provider', 'kind'],
    registers: this.#registers,
  })
  readonly #model = bounded()
  readonly #status = bounded()

  constructor(pool: pg.Pool) {
    // That there were none is worth knowing too.
    for (const { kind } of ORPHANS) this.#orphans.inc({ kind }, 0)
    poolGauge(this.registry, pool)
  }

  readonly appended = ({ verdict }: Answer, lines: readonly Line[], seconds: number): void => {
    this.#appends.inc({ verdict })
    this.#appendSeconds.observe(seconds)
    if (verdict === 'written') for (const line of lines) this.#written(line)
  }

  readonly grouped = (members: number, ms: number): void => {
    this.#groupMembers.observe(members)
    this.#groupSeconds.observe(ms / 1_000)
  }

  readonly mended = (kind: string, count: number): void => {
    this.#orphans.inc({ kind }, count)
  }

  readonly calls: CallObserver = (provider, request) => {
    this.#openCalls.inc({ provider })
    return (end) => {
      this.#openCalls.dec({ provider })
      this.#calls.inc({
        provider,
        model: this.#model(request.model.name),
        status: this.#status(end.status),
      })
      this.#callSeconds.observe({ provider }, end.seconds)
      if (end.firstPieceSeconds !== undefined)
        this.#firstPieceSeconds.observe({ provider }, end.firstPieceSeconds)
      for (const [kind, count] of tokensOf(end)) this.#tokens.inc({ provider, kind }, count)
    }
  }

  readonly wakes: WorkflowClientInterceptor = {
    signalWithStart: async (input, next) => {
      try {
        const started = await next(input)
        this.#wakes.inc({ result: 'taken' })
        return started
      } catch (error) {
        this.#wakes.inc({ result: 'failed' })
        throw error
      }
    },
  }

  /** How the pollers of this process stand, and what they hold. */
  watch(workers: { workflows: Worker; sessions: Worker }): void {
    const { workflows, sessions } = workers
    new Gauge({
      name: 'devflow_worker_polling',
      help: 'Whether this worker asks Temporal for work',
      labelNames: ['queue'],
      registers: this.#registers,
      collect() {
        this.set({ queue: 'workflows' }, Number(workflows.getStatus().workflowPollerState === 'POLLING'))
        this.set({ queue: 'sessions' }, Number(sessions.getStatus().activityPollerState === 'POLLING'))
      },
    })
    new Gauge({
      name: 'devflow_worker_sessions',
      help: 'Agent sessions under way in this worker',
      registers: this.#registers,
      collect() {
        this.set(sessions.getStatus().numInFlightActivities)
      },
    })
    new Gauge({
      name: 'devflow_worker_cached_workflows',
      help: 'Workflows this worker keeps in memory',
      registers: this.#registers,
      collect() {
        this.set(workflows.getStatus().numCachedWorkflows)
      },
    })
  }

  #written(line: Line): void {
    if (line.type === 'chunk' || line.type === 'chunk.reset') {
      this.#chunks.inc({ kind: 'kind' in line && line.kind ? line.kind : 'reset' })
      return
    }
    this.#events.inc({ type: line.type })
    if (line.type !== 'call.settled' && line.type !== 'call.reconciled') return
    const { costMicroUsd, costSource } = ('data' in line ? line.data : undefined) ?? {}
    if (typeof costMicroUsd === 'number') this.#cost.inc({ source: String(costSource) }, costMicroUsd)
  }
}

/** The write path, of whose appends the figures are told. */
export class MeteredWriter extends GroupWriter {
  readonly #metrics: WorkerMetrics

  constructor(databaseUrl: string, pool: pg.Pool, options: GroupWriterOptions, metrics: WorkerMetrics) {
    super(databaseUrl, pool, { ...options, onGroup: metrics.grouped })
    this.#metrics = metrics
  }

  override async append(member: Member): Promise<Answer> {
    const queued = performance.now()
    const answer = await super.append(member)
    this.#metrics.appended(answer, member.lines, (performance.now() - queued) / 1_000)
    return answer
  }
}

function tokensOf(end: CallEnd): [kind: string, count: number][] {
  const counts = {
    input: end.inputTokens,
    output: end.outputTokens,
    cached: end.cachedTokens,
    reasoning: end.reasoningTokens,
  }
  return Object.entries(counts).filter((entry): entry is [string, number] => entry[1] !== undefined)
}
