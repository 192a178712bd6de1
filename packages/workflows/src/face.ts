import type { Directive, Outcome, Plan, PlanStep, Shown } from '@devflow/contracts'
import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow'
import type { Begin } from './sessions.ts'

const MOST_SESSIONS_SHOWN = 20

/**
 * What the Temporal UI shows of a run: search attributes for lists, details for the page. Attributes are written only
 * when they change, since each change is an event of history (I4); details cost nothing, so they say more.
 */
export class Face {
  readonly #plan: Plan
  readonly #page: string | undefined
  readonly #parent: string | undefined
  #status = ''
  #phase = ''
  /** The step the walk has come to; shown only where something of it is to be seen. */
  #reached = ''
  readonly #marks = new Map<string, string>()
  #inside: string[] = []
  #shown: Shown | undefined

  constructor(runId: string, { plan, console, parent }: Begin) {
    this.#plan = plan
    this.#page = console === undefined ? undefined : `${console}/runs/${runId}`
    this.#parent = parent
  }

  get state(): { status: string; phase: string; template: string } {
    return { status: this.#status, phase: this.#phase, template: this.#plan.template }
  }

  /** `busy`: sessions under way inside the step, by `phase/attempt`. */
  at(step: PlanStep, directive: Directive, busy: readonly string[] = []): void {
    const [status, mark] = wordsFor(directive)
    this.#marks.set(step.id, mark)
    this.#reached = step.id
    if (directive.do === 'leave' && directive.status !== undefined) this.ended(directive.status)
    if (directive.do === 'next' || directive.do === 'end') return
    if (directive.do === 'back' || directive.do === 'leave' || directive.do === 'again') return
    this.#inside =
      directive.do === 'work'
        ? [...busy, ...directive.sessions.map((ref) => `${ref.phase}/${ref.attempt}`)]
        : []
    this.#shown = directive.shown ?? this.#shown
    this.#show(status, step.id, personasIn(step))
  }

  /** Shown with the next change: by itself it is no news. */
  done(step: PlanStep): void {
    this.#marks.set(step.id, 'done')
  }

  /** Says that the run is being undone. Answers of older builds do not ask for it, and it is an event of history. */
  undoing(outcome: Outcome, phase: string | undefined, shown: Shown | undefined): void {
    if (shown === undefined) return
    this.#inside = []
    this.#shown = shown
    this.#show('compensating', phase ?? this.#reached, [], `being undone, and then ${outcome}`)
  }

  ended(outcome: Outcome, shown?: Shown): void {
    this.#inside = []
    this.#shown = shown ?? this.#shown
    this.#show(outcome, '', [])
  }

  #show(status: string, phase: string, personas: readonly string[], words = status): void {
    if (status !== this.#status || phase !== this.#phase) {
      const [persona] = personas
      const cast = this.#status === '' ? [...new Set(this.#plan.steps.flatMap(personasIn))] : []
      upsertSearchAttributes({
        DevflowStatus: [status],
        DevflowPhase: phase === '' ? [] : [phase],
        ...(persona === undefined ? {} : { DevflowPersona: [persona] }),
        ...(cast.length === 0 ? {} : { DevflowPersonas: cast }),
      })
      this.#status = status
      this.#phase = phase
    }
    const where = phase === '' ? '' : ` at \`${phase}\``
    const steps = this.#plan.steps.flatMap((step) => [
      `- \`${step.id}\` (${step.kind}): ${this.#marks.get(step.id) ?? 'pending'}`,
      ...(step.id === phase ? this.#sessionLines() : []),
    ])
    // The UI shows but the first lines without scrolling.
    const facts = [`**${this.#plan.title}** is **${words}**${where}`, ...this.#factWords()].join(' · ')
    setCurrentDetails([facts, ...this.#runLines(), ...this.#gateLines(), steps.join('\n')].join('\n\n'))
  }

  #factWords(): string[] {
    const { spent, limit } = this.#shown ?? {}
    const cost = spent === undefined ? [] : [`${spent}${limit === undefined ? '' : ` of ${limit}`} USD spent`]
    return [...cost, ...(this.#page === undefined ? [] : [`[console](${this.#page})`])]
  }

  #gateLines(): string[] {
    const { first, total } = this.#shown?.gates ?? { first: [], total: 0 }
    if (total === 0) return []
    const links = first.map((gate) =>
      linked(gate, this.#page && `${this.#page}?gate=${encodeURIComponent(gate)}`),
    )
    const more = total > first.length ? ` and ${total - first.length} more` : ''
    return [`${total === 1 ? 'Open gate' : `${total} open gates`}: ${links.join(', ')}${more}`]
  }

  /** Runs beside this one. */
  #runLines(): string[] {
    const page = (run: string) => linked(run, this.#page?.replace(/[^/]+$/, run))
    const { child } = this.#shown ?? {}
    return [
      ...(this.#parent === undefined ? [] : [`Started by the run ${page(this.#parent)}`]),
      ...(child === undefined ? [] : [`Waits for the run ${page(child)}`]),
    ]
  }

  /** The first of the sessions under way; there may be hundreds. */
  #sessionLines(): string[] {
    const left = this.#inside.length - MOST_SESSIONS_SHOWN
    return [
      ...this.#inside.slice(0, MOST_SESSIONS_SHOWN).map((session) => `  - \`${session}\``),
      ...(left > 0 ? [`  - and ${left} more`] : []),
    ]
  }
}

/**
 * Puts right what lists show of an execution that found its run over, as after a reset: it has taken up attributes of
 * earlier. Usually they are right, and nothing is written.
 */
export function showOver(status: Outcome | undefined): void {
  if (status === undefined || workflowInfo().searchAttributes.DevflowStatus?.[0] === status) return
  upsertSearchAttributes({ DevflowStatus: [status], DevflowPhase: [] })
}

const linked = (id: string, url: string | undefined): string =>
  url === undefined ? `\`${id}\`` : `[\`${id}\`](${url})`

const WAITS = {
  gate: 'waiting for a decision',
  wait: 'waiting',
  backoff: 'waiting to be tried again',
  child: 'waiting for the run it started',
}

function wordsFor(directive: Directive): [status: string, mark: string] {
  switch (directive.do) {
    case 'next':
      return ['running', directive.how ?? 'done']
    case 'session':
      return ['running', directive.attempt > 1 ? `running, attempt ${directive.attempt}` : 'running']
    case 'wait': {
      const { why, shown } = directive
      if (why === 'paused') return ['paused', 'paused']
      const moves = why === 'child' || why === 'backoff'
      return [shown?.paused ? 'paused' : moves ? 'running' : 'waiting', WAITS[why]]
    }
    case 'work': {
      const { is, opened, total } = directive
      const far = opened === undefined || total === undefined ? '' : `, ${opened} of ${total}`
      return [is, is === 'waiting' ? `waiting${far}` : `${is}${far}`]
    }
    case 'end':
      return [directive.outcome, directive.outcome === 'completed' ? 'done' : directive.outcome]
    case 'back':
      return ['running', 'sent back']
    case 'leave':
    case 'again':
      return ['left', 'left']
  }
}

/** Who plays the step, or what is inside it. */
function personasIn({ persona, inside = [] }: PlanStep): string[] {
  const inner = inside.flat().flatMap(personasIn)
  return [...new Set(persona === undefined ? inner : [persona, ...inner])]
}
