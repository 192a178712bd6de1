import { createHash } from 'node:crypto'
import type { Deps } from '@devflow/activities'
import { type RunTrace, readTrace } from '@devflow/db'
import { type Logger, readTraceparent, type Tracing, writeTraceparent } from '@devflow/process'
import type { WorkflowClientInterceptor } from '@temporalio/client'
import type { ActivityInterceptorsFactory } from '@temporalio/worker'
import type pg from 'pg'
import type { CallObserver } from './observed-model.ts'

export interface WorkerTracesDeps {
  tracing: Tracing
  pool: pg.Pool
  log: Logger
}

/** Spans of sessions, by kind. */
const SESSIONS = { agent: 'agent session', function: 'function call' }
/** Activities that play sessions, which have spans of their own. */
const PLAYS = ['runAgentPhase', 'runFunctionPhase']

/** A round of a run in its trace: whoever works on it makes children of its span before that span is written. */
interface Round extends RunTrace {
  spanId: string
  /** A traceparent that names the round's span. */
  inside: string
}

/**
 * The spans of a run. What belongs together stands in the log: `run.submitted` holds the traceparent of its request,
 * and the id of a round's span follows from run and round. So the workflow carries nothing, replays as ever, and every
 * worker finds the same parent, after a crash too. Nothing but spans depends on it: a run whose trace cannot be read
 * goes on without.
 */
export class WorkerTraces {
  readonly #deps: WorkerTracesDeps

  constructor(deps: WorkerTracesDeps) {
    this.#deps = deps
  }

  /** Spans of what a worker does for runs; one for the whole round when it is concluded. */
  get activities(): ActivityInterceptorsFactory {
    return (context) => ({
      inbound: {
        execute: async (input, next) => {
          const [about] = input.args
          const { activityType } = context.info
          const round = PLAYS.includes(activityType) ? undefined : await this.#roundOf(about)
          if (!round || !isAbout(about)) return await next(input)
          const start = {
            name: activityType,
            parent: round.inside,
            attributes: {
              'devflow.run.id': about.runId,
              'devflow.phase': about.phase ?? about.step,
              'devflow.attempt': about.attempt,
            },
          }
          return await this.#deps.tracing.within(start, async (span) => {
            const result = await next(input)
            const { outcome, over } = (result ?? {}) as Result
            span.set({ 'devflow.outcome': outcome })
            if (outcome !== undefined && over !== undefined) this.#record(about.runId, round, outcome)
            return result
          })
        },
      },
    })
  }

  /** Spans of sessions: one activity may play several. */
  get session(): Deps['observeSession'] {
    return async ({ kind, delivery, ...about }, play) => {
      const round = await this.#roundOf(about)
      if (!round) return await play()
      const start = {
        name: SESSIONS[kind],
        parent: round.inside,
        attributes: {
          'devflow.run.id': about.runId,
          'devflow.phase': about.phase,
          'devflow.attempt': about.attempt,
          'devflow.delivery': kind === 'agent' ? delivery : undefined,
        },
      }
      return await this.#deps.tracing.within(start, async (span) => {
        const end = await play()
        const { ended } = end as Result
        span.set({ 'devflow.outcome': ended })
        if (ended === 'failed') span.fail('phase_failed')
        return end
      })
    }
  }

  /** Spans of wakes on their way to Temporal. */
  get wakes(): WorkflowClientInterceptor {
    return {
      signalWithStart: async (input, next) => {
        const [about] = input.options.args
        const round = await this.#roundOf(about)
        if (!round || !isAbout(about)) return await next(input)
        const start = {
          name: 'wake workflow',
          kind: 'producer',
          parent: round.traceparent,
          attributes: { 'devflow.run.id': about.runId },
        } as const
        return await this.#deps.tracing.within(start, () => next(input))
      },
    }
  }

  /** Spans of calls to providers, in the words of OpenTelemetry's conventions for generative AI. */
  get calls(): CallObserver {
    return (provider, { model, phase, attempt, turn, maxOutputTokens }) => {
      const span = this.#deps.tracing.open({
        name: `chat ${model.name}`,
        kind: 'client',
        attributes: {
          'gen_ai.operation.name': 'chat',
          'gen_ai.provider.name': provider,
          'gen_ai.request.model': model.name,
          'gen_ai.request.max_tokens': maxOutputTokens,
          'devflow.phase': phase,
          'devflow.attempt': attempt,
          'devflow.turn': turn,
        },
      })
      return (end) => {
        span.set({
          'gen_ai.response.id': end.generationId,
          'gen_ai.response.model': end.modelUsed,
          'gen_ai.usage.input_tokens': end.inputTokens,
          'gen_ai.usage.output_tokens': end.outputTokens,
          'devflow.finish': end.finish,
        })
        if (end.status !== 'answered') span.fail(end.status)
        span.end()
      }
    }
  }

  #record(runId: string, { traceparent, spanId, template, startedAt, round }: Round, outcome: string): void {
    this.#deps.tracing.record({
      name: `run ${template}`,
      parent: traceparent,
      spanId,
      startedAt,
      failed: outcome === 'failed' ? 'run_failed' : undefined,
      attributes: {
        'devflow.run.id': runId,
        'devflow.round': round,
        'devflow.template': template,
        'devflow.outcome': outcome,
      },
    })
  }

  async #roundOf(about: unknown): Promise<Round | undefined> {
    if (!isAbout(about)) return undefined
    try {
      const trace = await readTrace(this.#deps.pool, about.runId)
      const parent = readTraceparent(trace?.traceparent)
      if (!trace || !parent) return undefined
      const spanId = createHash('sha256').update(`${about.runId}/${trace.round}`).digest('hex').slice(0, 16)
      return { ...trace, spanId, inside: writeTraceparent({ ...parent, spanId }) }
    } catch (error) {
      this.#deps.log.debug({ err: error, runId: about.runId }, 'the trace of a run could not be read')
      return undefined
    }
  }
}

/** What activities and wakes are about, as far as spans tell of it. */
interface About {
  runId: string
  phase?: string
  step?: string
  attempt?: number
}

/** What sessions and `conclude` answer. */
interface Result {
  ended?: string
  outcome?: string
  over?: boolean
}

function isAbout(input: unknown): input is About {
  return typeof input === 'object' && input !== null && 'runId' in input && typeof input.runId === 'string'
}
