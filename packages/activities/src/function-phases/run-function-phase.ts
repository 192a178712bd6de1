import {
  type BoundFunction,
  type Definition,
  DevflowError,
  type FunctionPhase,
  type RunEvent,
  type SessionEnd,
  sessionKey,
} from '@devflow/contracts'
import {
  type EventLine,
  lastCompleted,
  openAttempt,
  type PhaseProgress,
  type Progress,
  patiently,
} from '@devflow/db'
import { nameIn, type PhaseNode } from '@devflow/definition'
import type { Deps } from '../deps.ts'
import { nodeNamed, storedOutput, viewOf } from '../scope/index.ts'
import { type DeliveryEnd, FENCED, HANDED_OVER } from '../session/delivery-end.ts'
import { eventAt, type Place } from '../session/place.ts'
import { isFenced } from '../session/session.ts'
import type { Stop } from '../session/stop.ts'
import { timeoutTimer } from '../time-left.ts'
import { callFunction } from './call-function.ts'
import { boundFunction, inputFor } from './prepare-call.ts'

/** One delivery of a function phase: a call that has a result on record is not made again (I5). */
export async function deliverFunction(
  deps: Deps,
  place: Place,
  stop: Stop,
  onlyNew: boolean,
): Promise<DeliveryEnd> {
  const { runId } = place
  const opened = await patiently(() => openAttempt(deps.pool, runId, place, { onlyNew }))
  if (!opened) return FENCED
  const { epoch, progress, at, events } = opened
  if (progress.control === 'canceled') return { ended: 'stopped', why: 'canceled' }
  return await new FunctionSession(deps, place, stop, epoch, progress, at).run(events)
}

class FunctionSession {
  readonly #deps: Deps
  readonly #place: Place
  readonly #stop: Stop
  readonly #epoch: number
  readonly #progress: Progress
  readonly #at: PhaseProgress

  constructor(deps: Deps, place: Place, stop: Stop, epoch: number, progress: Progress, at: PhaseProgress) {
    this.#deps = deps
    this.#place = place
    this.#stop = stop
    this.#epoch = epoch
    this.#progress = progress
    this.#at = at
  }

  async run(events: readonly RunEvent[]): Promise<DeliveryEnd> {
    if (events.some(({ type }) => type === 'phase.completed')) return { ended: 'completed' }
    if (events.some(({ type }) => type === 'phase.failed')) return { ended: 'failed' }
    const begun = events.find(({ type }) => type === 'function.started')?.data
    try {
      const { definition } = await this.#deps.definitions.get(this.#progress.definitionHash)
      const { node, asked } = this.#asked(definition)
      const called = boundFunction(definition, asked.name)
      const source = { pool: this.#deps.pool, progress: this.#progress, definition }
      // Once more with what it was given before: whoever takes it twice must find the same.
      const input = begun
        ? begun.input
        : await inputFor(this.#deps, called, viewOf(source, node, this.#at.position), asked.input)
      const key = begun ? String(begun.idempotencyKey) : await this.#idempotencyKey()
      if (!begun && !(await this.#append(this.#startLines(called, input, key)))) return FENCED
      return await this.#call(called, node, input, key)
    } catch (error) {
      if (this.#stop.reason) return await this.#stopped()
      // An expected failure is the user's to see; anything else is Temporal's to retry.
      if (!(error instanceof DevflowError) || error.kind === 'UNAVAILABLE') throw error
      return await this.#fail(error)
    }
  }

  #asked(definition: Definition): { node: PhaseNode; asked: FunctionPhase } {
    const node = nodeNamed(definition, nameIn(this.#place.phase))
    if (!node || !('function' in node.phase))
      throw new DevflowError('INTERNAL', 'unknown_step', `There is no function phase ${this.#place.phase}.`)
    return { node, asked: node.phase.function }
  }

  /**
   * The same for all attempts of one piece of work: an attempt that timed out may have done it. Work that was done and is
   * to be done again is another piece.
   */
  async #idempotencyKey(): Promise<string> {
    const { runId, phase } = this.#place
    const done = await patiently(() => lastCompleted(this.#deps.pool, runId, phase))
    return `${runId}/${phase}/${done + 1}`
  }

  #startLines({ id, hash, effects }: BoundFunction, input: unknown, idempotencyKey: string): EventLine[] {
    return [
      this.#event('phase.started', 'start', { kind: 'function', function: id }),
      this.#event('function.started', 'function/start', {
        function: id,
        hash,
        effects,
        idempotencyKey,
        input,
      }),
    ]
  }

  async #call(
    called: BoundFunction,
    node: PhaseNode,
    input: unknown,
    idempotencyKey: string,
  ): Promise<DeliveryEnd> {
    const { signal } = this.#stop
    const timer = timeoutTimer({ node, at: this.#at, progress: this.#progress }, this.#stop)
    try {
      const { tenant } = this.#progress
      const ctx = { idempotencyKey, ...this.#place }
      const told = await callFunction(this.#deps, { tenant, called, input, ctx, signal })
      this.#deps.reach('after-effect')
      const { durationMs: ms, log } = told
      const said = { function: called.id, durationMs: ms, ...(log.length > 0 ? { log } : {}) }
      if ('error' in told) {
        const { error } = told
        const lines = [
          this.#event('function.completed', 'function/end', { ...said, ok: false, error }),
          this.#event('phase.failed', 'end', { error }),
        ]
        return (await this.#append(lines)) ? { ended: 'failed' } : FENCED
      }
      const output = await storedOutput(this.#deps.pool, this.#place.runId, told.output)
      const lines = [
        this.#event('function.completed', 'function/end', { ...said, ok: true, output }),
        this.#event('phase.completed', 'end', { output }),
      ]
      return (await this.#append(lines)) ? { ended: 'completed' } : FENCED
    } finally {
      clearTimeout(timer)
    }
  }

  async #stopped(): Promise<DeliveryEnd> {
    switch (this.#stop.reason) {
      case 'canceled':
        return { ended: 'stopped', why: 'canceled' }
      case 'shutdown':
        return HANDED_OVER
      case 'timeout':
        return await this.#fail(
          new DevflowError('TIMEOUT', 'phase_timeout', 'The phase did not finish within its timeout.'),
        )
      default:
        return FENCED
    }
  }

  async #fail(error: DevflowError): Promise<SessionEnd> {
    const lines = [
      this.#event('phase.started', 'start', { kind: 'function' }),
      this.#event('phase.failed', 'end', { error: error.record }),
    ]
    return (await this.#append(lines)) ? { ended: 'failed' } : FENCED
  }

  #event(type: EventLine['type'], key: string, data: Record<string, unknown>): EventLine {
    return eventAt(this.#place, type, key, this.#deps.scrub(data))
  }

  /** False when another delivery has the phase. */
  async #append(lines: EventLine[]): Promise<boolean> {
    const answer = await this.#deps.writer.append({
      run: this.#place.runId,
      session: { id: sessionKey(this.#place), epoch: this.#epoch },
      lines,
    })
    return !isFenced(answer)
  }
}
