import type { Directive, SessionRef } from '@devflow/contracts'
import type { EventLine, PhaseProgress } from '@devflow/db'
import type { Move } from './step.ts'

/** What is to do inside a phase that holds others, gathered over all of it. */
export class Work {
  readonly lines: EventLine[] = []
  readonly sessions: SessionRef[] = []
  readonly stop = new Set<string>()
  /** Gates and waits that are open. */
  readonly waiting: { kind: string; id: string }[] = []
  /** Something moves without a session: a back-off, a child run. */
  moves = false
  /** Another look is needed: somebody else has written. */
  moved = false
  afterMs: number | undefined

  due(ms: number | undefined): void {
    if (ms !== undefined) this.afterMs = Math.min(this.afterMs ?? ms, ms)
  }

  take({ id, attempt }: PhaseProgress, move: Move): void {
    if (move === 'moved') this.moved = true
    else if ('lines' in move) this.lines.push(...move.lines)
    else this.#do(move, { id, attempt })
  }

  add(other: Work): void {
    this.lines.push(...other.lines)
    this.sessions.push(...other.sessions)
    this.waiting.push(...other.waiting)
    for (const session of other.stop) this.stop.add(session)
    this.moves ||= other.moves
    this.moved ||= other.moved
    this.due(other.afterMs)
  }

  #do(directive: Directive, { id, attempt }: Pick<PhaseProgress, 'id' | 'attempt'>): void {
    if (directive.do === 'session') this.sessions.push({ phase: id, attempt })
    if (directive.do !== 'wait') return
    this.due(directive.afterMs)
    if (directive.why === 'backoff' || directive.why === 'child') this.moves = true
    else if (directive.why !== 'paused') this.waiting.push({ kind: directive.why, id })
  }

  /** Whether anything goes on by itself, with these sessions under way. */
  runs(busy: readonly string[]): boolean {
    return this.moves || busy.length > 0 || this.sessions.length > 0
  }
}
