import type { ControlActivities, GateCommand } from '@devflow/contracts'
import {
  ApplicationFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  setHandler,
} from '@temporalio/workflow'

/** What came through Temporal and waits for the main loop. */
type Item =
  | { verb: 'pause' | 'resume' | 'cancel'; actor: string; reason?: string }
  | {
      verb: 'decide'
      command: GateCommand
      answer?: Awaited<ReturnType<ControlActivities['decide']>>
      answered: boolean
    }

interface CommandInput {
  actor?: string
  reason?: string
}

/** Who is recorded when a caller of Temporal does not say: operator access is the access there. */
const OPERATOR = 'operator'

/**
 * Signals and updates of a run. Handlers only queue and await: the main loop alone runs local activities, since a
 * handler that awaited its own beside the main branch makes the replay nondeterministic.
 */
export class Inbox {
  readonly #items: Item[] = []
  #poked = false

  constructor(state: () => unknown) {
    setHandler(defineSignal('wake'), () => this.poke(), { description: 'The log has news: read it again.' })
    setHandler(defineSignal<[CommandInput?]>('pause'), (input) => this.#command('pause', input), {
      description: 'Pause after the turn under way. Input: {actor?, reason?}',
    })
    setHandler(defineSignal<[CommandInput?]>('resume'), (input) => this.#command('resume', input), {
      description: 'Go on after a pause. Input: {actor?, reason?}',
    })
    setHandler(defineSignal<[GateCommand]>('gateDecision'), (command) => void this.#decide(command), {
      description: 'Decide a gate. Input: {gate, decision, comment?, subjectHash?, actor}',
    })
    setHandler(
      defineUpdate<string, [GateCommand]>('decideGate'),
      async (command) => {
        const item = this.#decide(command)
        await condition(() => item.answered)
        if (item.answer)
          throw ApplicationFailure.nonRetryable(item.answer.message, item.answer.kind, item.answer.code)
        return 'accepted'
      },
      {
        description:
          'Decide a gate and hear the answer. Input: {gate, decision, comment?, subjectHash?, actor}',
        validator: (command) => {
          if (typeof command?.gate !== 'string' || typeof command.actor !== 'string')
            throw ApplicationFailure.nonRetryable('A decision needs gate, decision and actor.', 'INVALID')
          if (!['approve', 'reject', 'request_changes'].includes(command.decision))
            throw ApplicationFailure.nonRetryable(
              'The decision must be approve, reject or request_changes.',
              'INVALID',
            )
        },
      },
    )
    setHandler(defineQuery('state'), state, {
      description: 'Where the run stands, as this workflow last read it.',
    })
  }

  /** True when there is something to look at. */
  get hasNews(): boolean {
    return this.#poked || this.#items.length > 0
  }

  poke(): void {
    this.#poked = true
  }

  cancel(): void {
    this.#items.push({ verb: 'cancel', actor: OPERATOR, reason: 'canceled in Temporal' })
  }

  /** Forgets the poke and works off the queue: after this, what the log says includes all that came before. */
  async serve(runId: string, control: Pick<ControlActivities, 'command' | 'decide'>): Promise<void> {
    this.#poked = false
    for (let item = this.#items.shift(); item; item = this.#items.shift()) {
      if (item.verb === 'decide') {
        item.answer = await control.decide({ runId, ...item.command })
        item.answered = true
      } else {
        const { verb, actor, reason } = item
        await control.command({ runId, verb, actor, ...(reason === undefined ? {} : { reason }) })
      }
    }
  }

  #command(verb: 'pause' | 'resume', input?: CommandInput): void {
    const reason = input?.reason
    this.#items.push({ verb, actor: input?.actor ?? OPERATOR, ...(reason === undefined ? {} : { reason }) })
  }

  #decide(command: GateCommand): Item & { verb: 'decide' } {
    const item: Item & { verb: 'decide' } = { verb: 'decide', command, answered: false }
    this.#items.push(item)
    return item
  }
}
