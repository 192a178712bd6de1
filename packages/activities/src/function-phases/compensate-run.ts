import { setTimeout as pause } from 'node:timers/promises'
import { DevflowError, type ErrorRecord, type SessionActivities } from '@devflow/contracts'
import {
  type EventLine,
  failureKind,
  type PhaseProgress,
  type Progress,
  patiently,
  phasesById,
  readCompensations,
  readProgress,
  takeSession,
  toCompensate,
} from '@devflow/db'
import { nameIn } from '@devflow/definition'
import { Context } from '@temporalio/activity'
import { compensable } from '../control/compensate.ts'
import type { Deps } from '../deps.ts'
import { nodeNamed, viewOf } from '../scope/index.ts'
import { HANDED_OVER } from '../session/delivery-end.ts'
import { isFenced } from '../session/session.ts'
import type { Stop } from '../session/stop.ts'
import { callFunction } from './call-function.ts'
import { boundFunction, inputFor } from './prepare-call.ts'

type Asked = Parameters<SessionActivities['compensateRun']>[0]

/** Calls of one compensation before it counts as failed; the pauses between them double. */
const MOST_TRIES = 5
/** Deliveries that may fail in a way nobody expected before that phase counts as not undone. */
const MOST_SURPRISES = 4
const SESSION = 'compensation'

/**
 * Undoes what a run has done, the last first, until nothing is left: each phase by its own function, on record before and
 * after. What a worker began another goes on with, under the same key.
 */
export async function compensateRun(
  deps: Deps,
  asked: Asked,
  stop: Stop,
): Promise<typeof HANDED_OVER | undefined> {
  const { runId, epoch: execution, round } = asked
  const epoch = await patiently(() => takeSession(deps.pool, runId, SESSION))
  if (epoch === undefined) return undefined
  for (;;) {
    const progress = await patiently(() => readProgress(deps.pool, runId))
    if (!progress || progress.control === 'over') return undefined
    if (progress.executionEpoch !== execution || progress.attempt !== round) return undefined
    const { definition } = await deps.definitions.get(progress.definitionHash)
    const names = compensable(definition)
    const [id] = await patiently(() => toCompensate(deps.pool, runId, names, 1))
    const [at] = id === undefined ? [] : await patiently(() => phasesById(deps.pool, runId, [id]))
    if (!at) return undefined
    const undoing = new PhaseUndoing(deps, asked, stop, epoch, progress, at)
    if (!(await undoing.run())) return stop.reason === 'fenced' ? undefined : HANDED_OVER
  }
}

class PhaseUndoing {
  readonly #deps: Deps
  readonly #asked: Asked
  readonly #stop: Stop
  readonly #epoch: number
  readonly #progress: Progress
  readonly #at: PhaseProgress

  constructor(deps: Deps, asked: Asked, stop: Stop, epoch: number, progress: Progress, at: PhaseProgress) {
    this.#deps = deps
    this.#asked = asked
    this.#stop = stop
    this.#epoch = epoch
    this.#progress = progress
    this.#at = at
  }

  /** False when it was stopped before the phase was undone, or known not to be. */
  async run(): Promise<boolean> {
    const { runId } = this.#progress
    try {
      const made = await patiently(() => readCompensations(this.#deps.pool, runId))
      const known = made.find(({ phase, attempt }) => phase === this.#at.id && attempt === this.#at.attempt)
      const { definition } = await this.#deps.definitions.get(this.#progress.definitionHash)
      const node = nodeNamed(definition, nameIn(this.#at.id))
      const compensate = node?.phase.compensate
      if (!node || !compensate)
        throw new DevflowError('INTERNAL', 'unknown_step', `Nothing undoes the phase ${this.#at.id}.`)
      const called = boundFunction(definition, compensate.function)
      if (!known && !(await this.#append([this.#begun(called.id)]))) return false
      const view = viewOf(
        { pool: this.#deps.pool, progress: this.#progress, definition },
        node,
        this.#at.position,
      )
      const input = await inputFor(this.#deps, called, view, compensate.input)
      for (let nth = (known?.ended ?? 0) + 1; ; nth += 1) {
        const ctx = {
          ...{ idempotencyKey: `${runId}/${this.#at.id}/${this.#at.attempt}/compensation`, runId },
          ...{ phase: this.#at.id, attempt: nth },
        }
        const { id, hash, effects } = called
        const said = { function: id, compensates: true, try: nth }
        const started = { ...said, hash, effects, idempotencyKey: ctx.idempotencyKey, input }
        if (!(await this.#append([this.#event('function.started', `${nth}/start`, started)]))) return false
        const { tenant } = this.#progress
        const told = await callFunction(this.#deps, { tenant, called, input, ctx, signal: this.#stop.signal })
        this.#deps.reach('after-effect')
        const { durationMs, log } = told
        const over = { ...said, durationMs, ...(log.length > 0 ? { log } : {}) }
        if (!('error' in told)) {
          const done = this.#event('compensation.completed', 'completed', { function: id, tries: nth })
          return await this.#append([
            this.#event('function.completed', `${nth}/end`, { ...over, ok: true }),
            done,
          ])
        }
        const { error } = told
        const isLast = nth >= MOST_TRIES || error.kind === 'INVALID'
        const end = this.#event('function.completed', `${nth}/end`, { ...over, ok: false, error })
        if (isLast) return await this.#append([end, this.#failed(error, id, nth)])
        if (!(await this.#append([end]))) return false
        await this.#rest(nth)
        if (this.#stop.leavingSignal.aborted) return false
      }
    } catch (error) {
      if (this.#stop.reason !== undefined) return false
      const record = recordOf(error)
      if (record === undefined) throw error
      return await this.#append([this.#begun(), this.#failed(record)])
    }
  }

  async #rest(nth: number): Promise<void> {
    const ms = this.#deps.times.callBackoffMs * 2 ** (nth - 1)
    await pause(ms, undefined, { signal: this.#stop.leavingSignal }).catch(() => {}) // The caller looks.
  }

  /** What comes first: with it the run's end is settled, whatever is asked of the run meanwhile. */
  #begun(called?: string): EventLine {
    const { outcome, phase: failedPhase } = this.#asked
    const name = called ?? this.#name()
    return this.#event('compensation.started', 'begun', {
      ...{ function: name, outcome },
      ...(failedPhase === undefined ? {} : { failedPhase }),
    })
  }

  #failed(error: ErrorRecord, called?: string, tries = 0): EventLine {
    return this.#event('compensation.failed', 'failed', { function: called ?? this.#name(), tries, error })
  }

  /** For what failed before the function was found. */
  #name(): string {
    return nameIn(this.#at.id)
  }

  #event(type: EventLine['type'], key: string, data: Record<string, unknown>): EventLine {
    const { id: phase, attempt } = this.#at
    return {
      type,
      key: `compensation/${phase}/${attempt}/${key}`,
      phase,
      attempt,
      data: this.#deps.scrub(data),
    }
  }

  async #append(lines: EventLine[]): Promise<boolean> {
    const answer = await this.#deps.writer.append({
      run: this.#progress.runId,
      session: { id: SESSION, epoch: this.#epoch },
      lines,
    })
    if (!isFenced(answer)) return true
    this.#stop.now('fenced')
    return false
  }
}

/** What is on record as the reason why a phase is not undone; undefined for what another delivery may get past. */
function recordOf(error: unknown): ErrorRecord | undefined {
  if (error instanceof DevflowError) return error.kind === 'UNAVAILABLE' ? undefined : error.record
  if (failureKind(error) === 'transient' || Context.current().info.attempt < MOST_SURPRISES) return undefined
  const message = error instanceof Error ? error.message.slice(0, 2_000) : 'It failed.'
  return { kind: 'INTERNAL', code: 'compensation_crashed', message }
}
