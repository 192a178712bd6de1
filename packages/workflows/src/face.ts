import type { Directive, Plan, PlanStep } from '@devflow/contracts'
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow'

/**
 * What the Temporal UI shows of a run: search attributes for lists, details for the page. Written only when it
 * changes, since each change is an event of history (I4).
 */
export class Face {
  readonly #plan: Plan
  #status = ''
  #phase = ''
  readonly #marks = new Map<string, string>()

  constructor(plan: Plan) {
    this.#plan = plan
  }

  get state(): { status: string; phase: string; template: string } {
    return { status: this.#status, phase: this.#phase, template: this.#plan.template }
  }

  at(step: PlanStep, directive: Directive): void {
    const [status, mark] = wordsFor(directive)
    this.#marks.set(step.id, mark)
    if (directive.do === 'next' || directive.do === 'end') return
    if (directive.do === 'leave' || directive.do === 'again') return
    this.#show(status, step.id, step.persona)
  }

  /** Shown with the next change: by itself it is no news. */
  done(step: PlanStep): void {
    this.#marks.set(step.id, 'done')
  }

  ended(outcome: string): void {
    this.#show(outcome, '', undefined)
  }

  #show(status: string, phase: string, persona: string | undefined): void {
    if (status !== this.#status || phase !== this.#phase) {
      upsertSearchAttributes({
        DevflowStatus: [status],
        DevflowPhase: phase === '' ? [] : [phase],
        ...(persona === undefined ? {} : { DevflowPersona: [persona] }),
      })
      this.#status = status
      this.#phase = phase
    }
    const lines = this.#plan.steps.map(
      (step) => `- \`${step.id}\` (${step.kind}): ${this.#marks.get(step.id) ?? 'pending'}`,
    )
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
    case 'leave':
    case 'again':
      return ['left', 'left']
  }
}
