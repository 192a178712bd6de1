import type { DevflowClient, Gate, Run, RunEvent } from '@devflow/client'
import { advance, progressOf } from './run-progress.ts'
import type { View } from './view.ts'

/** How following ended: the run is over, or it waits for a decision, or whoever follows has left. */
export type Ending = { how: 'over' | 'waiting'; run: Run; gates: Gate[] } | { how: 'left' }

type Cause = { how: 'over' | 'left' } | { how: 'waiting'; gates: Gate[] }

/**
 * Asks a person about a gate. Answers whether it was decided; `later` where it was not. `signal` ends the question when the
 * gate has been decided elsewhere meanwhile.
 */
export type Ask = (gate: Gate, signal: AbortSignal) => Promise<'decided' | 'later' | 'left'>

export interface FollowDeps {
  client: DevflowClient
  view: View
  /** Absent where nobody can be asked. */
  ask?: Ask
  /** Aborted when whoever follows wants to leave: the run goes on. */
  leaving: AbortSignal
}

/** Follows a run to its end, or to where it needs a decision that nobody here gives. */
export async function followRun(run: Run, { client, view, ask, leaving }: FollowDeps): Promise<Ending> {
  const progress = progressOf(run)
  const following = new AbortController()
  let cause: Cause | undefined
  const end = (why: Cause) => {
    cause ??= why
    following.abort()
  }
  const leave = () => end({ how: 'left' })
  if (leaving.aborted) leave()
  leaving.addEventListener('abort', leave, { once: true })
  const questions = new Questions(ask, view, end)
  try {
    for await (const event of client.runs.follow(run.id, { signal: following.signal })) {
      advance(progress, event)
      view.event(event, progress)
      questions.hear(event)
      const asks = ask ? 'gate.opened' : 'run.waiting'
      if (event.type !== asks) continue
      // One that opened later, or opened anew, is asked about when its event comes.
      const open = await openGates(client, run.id, following.signal)
      const gates = open.filter(({ openedAt }) => openedAt <= event.at)
      if (ask) questions.ask(gates)
      // A wait for a signal is none of ours: it is followed.
      else if (gates.length > 0) end({ how: 'waiting', gates })
      if (cause) break
    }
    cause ??= { how: 'over' }
  } catch (error) {
    // What we have ended ourselves ends with an error too.
    if (!cause) throw error
  } finally {
    leaving.removeEventListener('abort', leave)
    await questions.drop()
    if (cause?.how !== 'over' && cause?.how !== 'waiting') view.end(progress)
  }
  if (!cause || cause.how === 'left') return { how: 'left' }
  const now = await client.runs.get(run.id, { retries: 3 })
  const gates = cause.how === 'waiting' ? cause.gates : []
  for (const gate of gates) view.gate(gate)
  view.end(progress, now)
  return { how: cause.how, run: now, gates }
}

async function openGates(client: DevflowClient, run: string, signal: AbortSignal): Promise<Gate[]> {
  const { items } = await client.gates.list({ run, status: 'open' }, { signal, retries: 3 })
  return items
}

/** Gates that are asked about, one after another, while events go on coming. */
class Questions {
  readonly #ask: Ask | undefined
  readonly #view: View
  readonly #end: (cause: Cause) => void
  readonly #open = new Map<string, AbortController>()
  #asking: Promise<void> = Promise.resolve()
  #failure: unknown

  constructor(ask: Ask | undefined, view: View, end: (cause: Cause) => void) {
    this.#ask = ask
    this.#view = view
    this.#end = end
  }

  ask(gates: readonly Gate[]): void {
    for (const gate of gates) {
      if (this.#open.has(gate.id)) continue
      const closed = new AbortController()
      this.#open.set(gate.id, closed)
      this.#asking = this.#asking.then(() => this.#put(gate, closed.signal))
    }
  }

  /** A gate that closes needs no answer any more. */
  hear({ type, data }: RunEvent): void {
    if (type !== 'gate.closed' || typeof data.gate !== 'string') return
    this.#open.get(data.gate)?.abort()
    this.#open.delete(data.gate)
  }

  /** Ends the question that is put. Rejects with what went wrong in one. */
  async drop(): Promise<void> {
    for (const closed of this.#open.values()) closed.abort()
    await this.#asking
    if (this.#failure !== undefined) throw this.#failure
  }

  async #put(gate: Gate, closed: AbortSignal): Promise<void> {
    if (!this.#ask || closed.aborted) return
    this.#view.pause()
    try {
      const answer = await this.#ask(gate, closed)
      if (answer === 'later') this.#end({ how: 'waiting', gates: [gate] })
      if (answer === 'left') this.#end({ how: 'left' })
    } catch (error) {
      this.#failure = error
      this.#end({ how: 'left' })
    } finally {
      this.#view.resume()
    }
  }
}
