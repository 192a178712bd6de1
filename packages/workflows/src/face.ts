import type { Directive, Plan, PlanStep } from '@devflow/contracts'
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow'

const MOST_SESSIONS_SHOWN = 20

/**
 * What the Temporal UI shows of a run: search attributes for lists, details for the page. Written only when it
 * changes, since each change is an event of history (I4).
 */
export class Face {
  readonly #plan: Plan
  #status = ''
  #phase = ''
  readonly #marks = new Map<string, string>()
  #inside: string[] = []

  constructor(plan: Plan) {
    this.#plan = plan
  }

  get state(): { status: string; phase: string; template: string } {
    return { status: this.#status, phase: this.#phase, template: this.#plan.template }
  }

  /** `busy`: sessions under way inside the step, by `phase/attempt`. */
  at(step: PlanStep, directive: Directive, busy: readonly string[] = []): void {
    const [status, mark] = wordsFor(directive)
    this.#marks.set(step.id, mark)
    if (directive.do === 'next' || directive.do === 'end') return
    if (directive.do === 'back' || directive.do === 'leave' || directive.do === 'again') return
    this.#inside =
      directive.do === 'work'
        ? [...busy, ...directive.sessions.map((ref) => `${ref.phase}/${ref.attempt}`)]
        : []
    this.#show(status, step.id, personasIn(step))
  }

  /** Shown with the next change: by itself it is no news. */
  done(step: PlanStep): void {
    this.#marks.set(step.id, 'done')
  }

  ended(outcome: string): void {
    this.#inside = []
    this.#show(outcome, '', [])
  }

  /** The first of the sessions under way; there may be hundreds. */
  #sessionLines(): string[] {
    const left = this.#inside.length - MOST_SESSIONS_SHOWN
    return [
      ...this.#inside.slice(0, MOST_SESSIONS_SHOWN).map((session) => `  - \`${session}\``),
      ...(left > 0 ? [`  - and ${left} more`] : []),
    ]
  }

  #show(status: string, phase: string, personas: readonly string[]): void {
    if (status !== this.#status || phase !== this.#phase) {
      upsertSearchAttributes({
        DevflowStatus: [status],
        DevflowPhase: phase === '' ? [] : [phase],
        // The attribute holds one.
        ...(personas.length === 1 ? { DevflowPersona: [...personas] } : {}),
      })
      this.#status = status
      this.#phase = phase
    }
    const lines = this.#plan.steps.flatMap((step) => [
      `- \`${step.id}\` (${step.kind}): ${this.#marks.get(step.id) ?? 'pending'}`,
      ...(step.id === phase ? this.#sessionLines() : []),
    ])
    setCurrentDetails(
      [
        `**${this.#plan.title}** is **${status}**${phase === '' ? '' : ` at \`${phase}\``}`,
        '',
        ...lines,
      ].join('\n'),
    )
  }
}

function wordsFor(directive: Directive): [status: string, mark: string] {
  switch (directive.do) {
    case 'next':
      return ['running', directive.how ?? 'done']
    case 'session':
      return ['running', directive.attempt > 1 ? `running, attempt ${directive.attempt}` : 'running']
    case 'wait':
      if (directive.why === 'paused') return ['paused', 'paused']
      if (directive.why === 'child') return ['running', 'waiting for the run it started']
      if (directive.why === 'backoff') return ['running', 'waiting to be tried again']
      return ['waiting', directive.why === 'gate' ? 'waiting for a decision' : 'waiting']
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
