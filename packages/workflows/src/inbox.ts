import type { ControlActivities, GateCommand } from '@devflow/contracts'
import {
  ApplicationFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  setHandler,
  sleep,
} from '@temporalio/workflow'

/** What came through Temporal and waits for the main loop. */
type Item =
  | { verb: 'pause' | 'resume' | 'cancel'; actor: string; reason?: string }
  | {
      verb: 'decide'
      command: GateCommand
      answer?: Awaited<ReturnType<ControlActivities['decide']>>
      /** Somebody waits for the answer. */
      awaited: boolean
      answered: boolean
    }

/** As it should be: it comes from outside, and is looked at before it is believed. */
interface CommandInput {
  actor?: unknown
  reason?: unknown
}

/** Who is recorded when a caller of Temporal does not say: operator access is the access there. */
const OPERATOR = 'operator'

const LONGEST_NAME = 200
const LONGEST_REASON = 2_000
const LONGEST_COMMENT = 20_000
const DECISIONS: readonly GateCommand['decision'][] = ['approve', 'reject', 'request_changes']

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
    setHandler(
      defineSignal<[GateCommand]>('gateDecision'),
      (command) => {
        if (faultIn(command) === undefined) this.#decide(command, false)
      },
      { description: 'Decide a gate. Input: {gate, decision, comment?, subjectHash?, actor}' },
    )
    setHandler(
      defineUpdate<string, [GateCommand]>('decideGate'),
      async (command) => {
        const item = this.#decide(command, true)
        await condition(() => item.answered)
        if (item.answer)
          throw ApplicationFailure.nonRetryable(item.answer.message, item.answer.kind, item.answer.code)
        return 'accepted'
      },
      {
        description:
          'Decide a gate and hear the answer. Input: {gate, decision, comment?, subjectHash?, actor}',
        validator: (command) => {
          const fault = faultIn(command)
          if (fault !== undefined) throw ApplicationFailure.nonRetryable(fault, 'INVALID', 'invalid_decision')
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
    let isAwaited = false
    for (let item = this.#items.shift(); item; item = this.#items.shift()) {
      if (item.verb === 'decide') {
        item.answer = await control.decide({ runId, ...item.command })
        item.answered = true
        isAwaited ||= item.awaited
      } else {
        const { verb, actor, reason } = item
        await control.command({ runId, verb, actor, ...(reason === undefined ? {} : { reason }) })
      }
    }
    // Ends this workflow task, so that the answer goes out with it. A task that also ends the workflow is thrown away
    // when a signal comes meanwhile, and the caller would be told that the update failed, though it counted.
    if (isAwaited) await sleep(1)
  }

  #command(verb: 'pause' | 'resume', input?: CommandInput): void {
    const actor = isName(input?.actor) ? input.actor : OPERATOR
    const reason = typeof input?.reason === 'string' ? { reason: input.reason.slice(0, LONGEST_REASON) } : {}
    this.#items.push({ verb, actor, ...reason })
  }

  #decide(command: GateCommand, awaited: boolean): Item & { verb: 'decide' } {
    const item: Item & { verb: 'decide' } = { verb: 'decide', command, awaited, answered: false }
    this.#items.push(item)
    return item
  }
}

const isName = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= LONGEST_NAME

/** What is wrong with a decision from outside; undefined when it can be put to the gate. */
function faultIn(command: { [field in keyof GateCommand]?: unknown } | null | undefined): string | undefined {
  if (command === null || typeof command !== 'object' || !isName(command.gate) || !isName(command.actor))
    return 'A decision needs gate, decision and actor.'
  if (!DECISIONS.some((known) => known === command.decision))
    return `The decision must be one of ${DECISIONS.join(', ')}.`
  const { comment, subjectHash } = command
  if (comment !== undefined && (typeof comment !== 'string' || comment.length > LONGEST_COMMENT))
    return `A comment is text of at most ${LONGEST_COMMENT} characters.`
  if (subjectHash !== undefined && !isName(subjectHash)) return 'The subjectHash is a SHA-256 in hex.'
  return undefined
}
