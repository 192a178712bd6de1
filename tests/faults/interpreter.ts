import { acted } from './acting.ts'
import {
  type AgentStep,
  artifactOf,
  type Case,
  type CycleStep,
  commentAt,
  type FunctionStep,
  type GateStep,
  indexOf,
  type MapStep,
  nth,
  type ParallelStep,
  repeating,
  type Step,
  sentOver,
  type Template,
  type WaitStep,
  type WorkflowStep,
} from './case.ts'
import { join } from './join.ts'
import { Kept } from './kept.ts'
import { items, marks, type Place } from './place.ts'
import { reopen } from './reopen.ts'
import {
  Ambiguous,
  again,
  type Child,
  close,
  type Ending,
  exported,
  Failed,
  type Failure,
  failure,
  type Group,
  isSettled,
  type Meaning,
  mayPass,
  outputOf,
  pending,
  type Running,
} from './running.ts'
import { readBack } from './seen.ts'
import { Sight } from './sight.ts'

const failed = (kind: string, code: string) => new Failed(failure(kind, code))

const TOP: Place = { around: [], named: [], locals: {} }

/**
 * Goes through one run of a template, without a clock, a log or anything that may fail. Waits take no time, and what runs
 * side by side runs one after the other; where that matters, what came of it is `loose`: nobody can tell.
 */
export class Interpreter implements Child {
  readonly kept = new Kept()
  /** What the run came to when it ended last. */
  readonly means: Meaning = {
    status: 'completed',
    errors: [],
    output: null,
    phases: new Map(),
    artifacts: this.kept,
    turns: [],
    children: [],
  }
  readonly top: Group
  readonly found: Case
  readonly template: Template
  readonly #repeating: Set<string>
  readonly #sight: Sight
  /** Taken over from another run: it is not undone by this one. */
  readonly reused = new Set<Running>()

  constructor(found: Case, template: Template, input: Record<string, unknown>) {
    this.found = found
    this.template = template
    this.#sight = new Sight(template, input, this.kept)
    this.#repeating = repeating(template.steps)
    const list = template.steps.map((step) => this.#open(step, TOP))
    this.top = { list, names: new Map(list.map((running) => [running.step.name, running])), ending: 'done' }
  }

  run(): void {
    const ending = this.#walk(this.top, TOP)
    if (typeof ending === 'object') this.#end('failed', ending.failed.failures)
    else if (ending === 'canceled') this.#end('canceled')
    else this.#endWell()
    if (ending === 'canceled')
      for (const running of this.means.phases.values())
        if (running.status === 'pending' || running.status === 'running') running.status = 'canceled'
    // A run that does not complete undoes what it has done.
    if (this.means.status !== 'completed')
      for (const running of this.means.phases.values())
        if (running.step.undo && running.status === 'completed' && !this.reused.has(running))
          running.status = 'compensated'
  }

  /** Whether something of it was undone: then it cannot go on. */
  get isUndone(): boolean {
    const undone = [...this.means.phases.values()].filter(({ step }) => step.undo)
    if (undone.some(({ loose }) => loose)) throw new Ambiguous()
    return undone.some(({ status }) => status === 'compensated')
  }

  retry(): void {
    const at = this.top.list.find(({ status, step }) => status === 'failed' && !step.continues)
    if (at) reopen(at, this.kept)
    this.run()
  }

  #end(status: Meaning['status'], errors: Failure[] = [], output: unknown = null): void {
    Object.assign(this.means, { status, errors, output })
  }

  #endWell(): void {
    const atEnd = { ...TOP, named: [this.top.names] }
    try {
      const told = this.template.tells.map((name) => [
        name,
        this.#sight.value({ get: ['phases', name, 'output'] }, atEnd),
      ])
      this.#end('completed', [], Object.fromEntries(told))
    } catch (error) {
      if (!(error instanceof Failed)) throw error
      this.#end('failed', error.failures)
    }
  }

  /** Phases one after the other, as far as they are not done: the first that fails, and is not passed over, ends them. */
  #walk(group: Group, place: Place): Ending {
    const { list, names } = group
    const inside = { ...place, named: [names, ...place.named] }
    group.ending = 'done'
    for (let at = 0; at < list.length; at += 1) {
      const running = list[at] as Running
      if (isSettled(running)) continue
      const ending = this.#perform(running, inside)
      running.ending = ending
      if (ending === 'back') at = this.#goBack(list, running) - 1
      else if (ending !== 'done' && (typeof ending === 'string' || !running.step.continues)) {
        group.ending = ending
        break
      }
    }
    return group.ending
  }

  #open(step: Step, place: Place): Running {
    const running = pending(step.name + marks(place), step)
    this.means.phases.set(running.id, running)
    return running
  }

  /** All attempts of a phase. */
  #perform(running: Running, place: Place): Ending | 'back' {
    const { step } = running
    for (;;) {
      running.status = 'running'
      try {
        if (running.attempt === running.roundAttempt && step.when && !this.#sight.holds(step.when, place)) {
          running.status = 'skipped'
          return 'done'
        }
        const ending = this.#attempt(running, place)
        if (ending === 'canceled') return ending
        if (ending === 'stopped') close(running)
        // What is around a gate that ends the run is cut off; the outermost of it is completed.
        running.status =
          ending === 'stopped' && step.kind !== 'gate' && place.around.length > 0 ? 'canceled' : 'completed'
        return ending
      } catch (error) {
        if (!(error instanceof Failed)) throw error
        close(running)
        running.status = 'failed'
        running.failures = error.failures
        running.output = () => null
        const tried = running.attempt - running.roundAttempt + 1
        if (tried >= (step.attempts ?? 1) || !mayPass(error.failures)) return { failed: running }
        again(running, true)
      }
    }
  }

  /** All from the phase that the gate speaks of begins anew; answers where. */
  #goBack(list: readonly Running[], gate: Running): number {
    if (gate.step.kind !== 'gate' || !gate.step.back) throw new Error(`${gate.id} sends nobody back`)
    const { to } = gate.step.back
    const over = sentOver(
      list.map(({ step }) => step),
      gate.step,
    )
    const from = list.findIndex(({ step }) => step === over[0])
    const said = 'decisions' in Object(gate.step.closes) ? [commentAt(gate.attempt)] : []
    for (const [at, running] of list.slice(from, from + over.length).entries()) {
      again(running, true)
      running.roundAttempt = running.attempt
      running.child = undefined
      running.sentBack = at === 0 ? { to, said } : undefined
    }
    return from
  }

  #attempt(running: Running, place: Place): Exclude<Ending, object> | 'back' {
    const { step } = running
    switch (step.kind) {
      case 'agent':
        return this.#agent(running, step, place)
      case 'function':
        return this.#function(running, step, place)
      case 'gate':
        return this.#gate(running, step, place)
      case 'wait':
        return this.#wait(running, step)
      case 'parallel':
        return this.#parallel(running, step, place)
      case 'map':
        return this.#map(running, step, place)
      case 'cycle':
        return this.#cycle(running, step, place)
      case 'workflow':
        return this.#workflow(running, step, place)
    }
  }

  #agent(running: Running, step: AgentStep, place: Place): 'done' {
    const see = readBack(this.#sight.shown(step.see, place))
    const told = [running, ...place.around.map((outer) => outer.running).reverse()].find(
      ({ sentBack }) => sentBack?.to === step.name,
    )?.sentBack
    const own = artifactOf(step.name)
    const before = told && step.makes ? this.#sight.artifact(own, place) : undefined
    const inputs = {
      ...Object.fromEntries(step.inputs.map((name) => [name, this.#sight.artifact(name, place) ?? null])),
      ...(before === undefined ? {} : { [own]: before }),
    }
    const { turns, content, failure } = acted(step, running, { see, inputs, asked: told?.said })
    for (const key of turns) this.means.turns.push({ key, by: running })
    if (failure) throw new Failed(failure)
    running.output = () => content
    if (step.makes) this.kept.set(own + items(place), { content, loose: false, maker: running })
    return 'done'
  }

  #function(running: Running, { name, see, answers }: FunctionStep, place: Place): 'done' {
    const seen = see ? this.#sight.value(see, place) : null
    const answer = nth(answers, name, running.id, running.attempt)
    if (answer === 'throws') throw failed('INTERNAL', 'function_failed')
    if (answer === 'wrong') throw failed('INTERNAL', 'function_output_invalid')
    const n = indexOf(name, running.id, running.attempt)
    running.output = () => ({ n, see: seen })
    return 'done'
  }

  #gate(running: Running, step: GateStep, place: Place): Exclude<Ending, object> | 'back' {
    const { closes, quorum, onReject, see, name, back } = step
    this.#sight.shown(see, place)
    if (closes === 'timeout') throw failed('TIMEOUT', 'phase_timeout')
    const { attempt } = running
    const wanted = 'decisions' in closes ? nth(closes.decisions, name, running.id, attempt) : closes.deadline
    if (wanted === 'cancel') return 'canceled'
    if (wanted === 'fail') throw failed('TIMEOUT', 'gate_expired')
    if (wanted === back?.by && running.rounds < back.most) {
      running.rounds += 1
      return 'back'
    }
    // Who may not ask for changes any more rejects.
    const said = wanted === 'approve' ? 'approve' : 'reject'
    if (said === 'reject' && (onReject === 'fail' || back?.by === 'reject'))
      throw failed('CONFLICT', 'gate_rejected')
    const people = 'decisions' in closes ? ['owner', 'ann'].slice(0, said === 'approve' ? quorum : 1) : []
    const comment = back && said === 'reject' ? commentAt(attempt) : null
    const decisions = people.map((actor) => ({ actor, decision: said, comment }))
    const status = said === 'approve' ? 'approved' : 'rejected'
    running.output = () => ({ status, decisions })
    return said === 'approve' ? 'done' : 'stopped'
  }

  #wait(running: Running, step: WaitStep): 'done' {
    if (step.for === 'timeout') throw failed('TIMEOUT', 'phase_timeout')
    if (typeof step.for === 'object') {
      const { n } = step.for
      running.output = () => ({ n })
    }
    return 'done'
  }

  #parallel(running: Running, step: ParallelStep, place: Place): Exclude<Ending, object> {
    const groups = step.branches.map((branch, group) => this.#group(running, branch, place, group))
    // They have their names outside as well, now that it is over.
    for (const [name, inner] of exported(running)) place.named[0]?.set(name, inner)
    running.output = () => groups.map(({ list }) => outputOf(list))
    return join(running, groups, !step.passesOver, this.kept)
  }

  #map(running: Running, step: MapStep, place: Place): Exclude<Ending, object> {
    const over = running.items ?? (Array.isArray(step.over) ? step.over : this.#sight.value(step.over, place))
    if (!Array.isArray(over)) throw failed('INVALID', 'invalid_items')
    running.items = over
    const groups: Group[] = []
    for (const [index, item] of over.entries()) {
      const locals = { item, index, ...(step.as ? { [step.as]: item } : {}) }
      const group = this.#group(running, step.steps, place, index, locals)
      groups.push(group)
      if (step.concurrency === 1 && group.ending !== 'done') break
    }
    running.output = () => groups.map(({ list }) => outputOf(list))
    if (step.concurrency > 1) return join(running, groups, true, this.kept)
    return join(running, groups.slice(-1), true, this.kept)
  }

  #cycle(running: Running, step: CycleStep, place: Place): Exclude<Ending, object> {
    const done = running.groups.size
    // Tried again by a person when it had gone on too often, it may do so as often again.
    if (done >= running.total) running.total += step.max
    let last: unknown = done > 1 ? outputOf(running.groups.get(done - 1)?.list ?? []) : null
    for (let iteration = Math.max(1, done); ; iteration += 1) {
      const group = this.#group(running, step.steps, place, iteration, { iteration, last })
      running.output = () => outputOf(group.list)
      const ending = join(running, [group], true, this.kept)
      if (ending !== 'done') return ending
      last = running.output()
      const inside = {
        ...place,
        named: [group.names, ...place.named],
        locals: { ...place.locals, iteration, last },
      }
      if (step.until && this.#sight.holds(step.until, inside)) return 'done'
      if (iteration < running.total) continue
      if (step.until) throw failed('CONFLICT', 'cycle_exhausted')
      return 'done'
    }
  }

  #workflow(running: Running, step: WorkflowStep, place: Place): 'done' {
    const child = this.found.children[step.child]
    if (!child) throw new Error(`case ${this.found.name} has no child ${step.child}`)
    const input = { n: this.#sight.value(step.n, place), x: step.x ? this.#sight.value(step.x, place) : null }
    if (!Number.isInteger(input.n)) throw failed('INVALID', 'invalid_input')
    const isRetried = running.attempt > 1 && running.attempt === running.roundAttempt
    const before = isRetried && running.child instanceof Interpreter ? running.child : undefined
    const goesOn = before?.means.status === 'failed' && !before.isUndone
    const run = goesOn ? before : new Interpreter(this.found, child, input)
    if (goesOn) run.retry()
    else run.run()
    running.child = run
    const { means } = run
    this.means.children.push({ by: running, attempt: running.attempt, means })
    if (means.status === 'canceled') throw failed('CANCELED', 'canceled')
    if (means.status === 'failed') throw new Failed(...means.errors)
    running.output = () => means.output
    return 'done'
  }

  /** One branch, item or iteration. */
  #group(
    running: Running,
    steps: readonly Step[],
    place: Place,
    at: number,
    locals: Record<string, unknown> = {},
  ): Group {
    const { generation } = running
    const repeats = this.#repeating.has(running.step.name)
    const around = [...place.around, { running, repeats, generation, group: at }]
    const here = { ...place, around, locals: { ...place.locals, ...locals } }
    const group = running.groups.get(at) ?? this.#newGroup(running, steps, here, at)
    this.#walk(group, here)
    return group
  }

  #newGroup(running: Running, steps: readonly Step[], place: Place, at: number): Group {
    const list = steps.map((step) => this.#open(step, place))
    const names = new Map(list.map((inner) => [inner.step.name, inner]))
    const group: Group = { list, names, ending: 'done' }
    running.groups.set(at, group)
    running.inside.push(...list)
    return group
  }
}
