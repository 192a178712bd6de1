import {
  type AgentStep,
  artifactOf,
  type Case,
  type CycleStep,
  type Expression,
  type FunctionStep,
  type GateStep,
  indexOf,
  listsOf,
  type MapStep,
  nth,
  type ParallelStep,
  type Step,
  type Template,
  type WaitStep,
  type WorkflowStep,
} from './case.ts'
import { items, marks, type Place } from './place.ts'
import {
  Ambiguous,
  close,
  type Ending,
  type Failure,
  type Group,
  type Meaning,
  mayPass,
  outputOf,
  type Running,
  withInside,
} from './running.ts'
import { echoOf, readBack } from './seen.ts'
import { evaluated, Unseen } from './value.ts'

class Failed extends Error {
  readonly failures: Failure[]
  constructor(...failures: Failure[]) {
    super(failures.map(({ code }) => code).join(', '))
    this.failures = failures
  }
}

const failed = (kind: string, code: string) => new Failed({ kind, code })

/**
 * What a template means, said a second time: without a clock, a log or anything that may fail. Waits take no time, and
 * what runs side by side runs one after the other; where that matters, what came of it is `loose`: nobody can tell.
 */
export function meaningOf(found: Case): Meaning {
  return undone(new Interpreter(found, found.template, { ...found.input }).run())
}

/** A run that fails undoes what it has done. */
function undone(means: Meaning): Meaning {
  if (means.status === 'failed')
    for (const running of means.phases.values())
      if (running.step.undo && running.status === 'completed') running.status = 'compensated'
  return means
}

class Interpreter {
  readonly #found: Case
  readonly #template: Template
  readonly #input: Record<string, unknown>
  readonly #phases = new Map<string, Running>()
  readonly #artifacts: Meaning['artifacts'] = new Map()
  readonly #makers = new Map<string, Running>()
  readonly #turns: Meaning['turns'] = []
  readonly #children: Meaning['children'] = []

  constructor(found: Case, template: Template, input: Record<string, unknown>) {
    this.#found = found
    this.#template = template
    this.#input = input
  }

  run(): Meaning {
    const top: Place = { around: [], named: [], locals: {} }
    const { names, ending } = this.#walk(this.#template.steps, top)
    const end = {
      phases: this.#phases,
      artifacts: this.#artifacts,
      turns: this.#turns,
      children: this.#children,
    }
    if (typeof ending === 'object')
      return { ...end, status: 'failed', errors: ending.failed.failures, output: null }
    const atEnd = { ...top, named: [names] }
    try {
      const told = this.#template.tells.map((name) => [
        name,
        this.#value({ get: ['phases', name, 'output'] }, atEnd),
      ])
      return { ...end, status: 'completed', errors: [], output: Object.fromEntries(told) }
    } catch (error) {
      if (!(error instanceof Failed)) throw error
      return { ...end, status: 'failed', errors: error.failures, output: null }
    }
  }

  /** Phases one after the other: the first that fails, and is not passed over, ends them. */
  #walk(steps: readonly Step[], place: Place): Group {
    const list = steps.map((step) => this.#open(step, place))
    const names = new Map(list.map((running) => [running.step.name, running]))
    const inside = { ...place, named: [names, ...place.named] }
    for (const running of list) {
      const ending = this.#perform(running, inside)
      if (ending === 'stopped' || (ending !== 'done' && !running.step.continues))
        return { list, names, ending }
    }
    return { list, names, ending: 'done' }
  }

  #open(step: Step, place: Place): Running {
    const running: Running = {
      id: step.name + marks(place),
      step,
      status: 'pending',
      attempt: 1,
      failures: [],
      output: () => null,
      loose: false,
      inside: [],
    }
    this.#phases.set(running.id, running)
    return running
  }

  /** All attempts of a phase. */
  #perform(running: Running, place: Place): Ending {
    const { step } = running
    for (;;) {
      running.status = 'running'
      try {
        if (running.attempt === 1 && step.when && !this.#holds(step.when, place)) {
          running.status = 'skipped'
          return 'done'
        }
        const ending = this.#attempt(running, place)
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
        if (running.attempt >= (step.attempts ?? 1) || !mayPass(error.failures)) return { failed: running }
        running.attempt += 1
        running.failures = []
      }
    }
  }

  #attempt(running: Running, place: Place): 'done' | 'stopped' {
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
    const see = readBack(this.#shown(step.see, place))
    const inputs = Object.fromEntries(step.inputs.map((name) => [name, this.#artifact(name, place) ?? null]))
    const reply = nth(step.replies, step.name, running.id, running.attempt)
    const isBroken = step.makes && (reply.end === 'repaired' || reply.end === 'broken')
    const isAnswered = reply.end !== 'refused' && reply.end !== 'down'
    const turns = reply.tools + (isBroken ? 2 : isAnswered ? 1 : 0)
    for (let turn = 1; turn <= turns; turn += 1)
      this.#turns.push({ key: `${running.id}/${running.attempt}/${turn}`, by: running })
    if (reply.end === 'refused') throw failed('INVALID', 'provider_rejected_request')
    if (reply.end === 'down') throw failed('UNAVAILABLE', 'provider_unavailable')
    if (step.makes && reply.end === 'broken') throw failed('INVALID', 'artifact_invalid')
    const of = echoOf(see, inputs)
    const content = step.makes ? { n: reply.n, of } : { text: of }
    running.output = () => content
    if (step.makes) {
      const kept = artifactOf(step.name) + items(place)
      this.#artifacts.set(kept, { content, loose: false })
      this.#makers.set(kept, running)
    }
    return 'done'
  }

  #function(running: Running, { name, see, answers }: FunctionStep, place: Place): 'done' {
    const seen = see ? this.#value(see, place) : null
    const answer = nth(answers, name, running.id, running.attempt)
    if (answer === 'throws') throw failed('INTERNAL', 'function_failed')
    if (answer === 'wrong') throw failed('INTERNAL', 'function_output_invalid')
    const n = indexOf(name, running.id, running.attempt)
    running.output = () => ({ n, see: seen })
    return 'done'
  }

  #gate(
    running: Running,
    { closes, quorum, onReject, see, name }: GateStep,
    place: Place,
  ): 'done' | 'stopped' {
    this.#shown(see, place)
    if (closes === 'timeout') throw failed('TIMEOUT', 'phase_timeout')
    const said =
      'decisions' in closes ? nth(closes.decisions, name, running.id, running.attempt) : closes.deadline
    if (said === 'fail') throw failed('TIMEOUT', 'gate_expired')
    if (said === 'reject' && onReject === 'fail') throw failed('CONFLICT', 'gate_rejected')
    const people = 'decisions' in closes ? ['owner', 'ann'].slice(0, said === 'approve' ? quorum : 1) : []
    const decisions = people.map((actor) => ({ actor, decision: said, comment: null }))
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

  #parallel(running: Running, step: ParallelStep, place: Place): 'done' | 'stopped' {
    const groups = step.branches.map((branch, group) => this.#group(running, branch, place, group))
    // They have their names outside as well, now that it is over.
    for (const { names } of groups) for (const [name, inner] of names) place.named[0]?.set(name, inner)
    running.output = () => groups.map(({ list }) => outputOf(list))
    return this.#join(running, groups, !step.passesOver)
  }

  #map(running: Running, step: MapStep, place: Place): 'done' | 'stopped' {
    const items = Array.isArray(step.over) ? step.over : this.#value(step.over, place)
    if (!Array.isArray(items)) throw failed('INVALID', 'invalid_items')
    const groups: Group[] = []
    for (const [index, item] of items.entries()) {
      const locals = { item, index, ...(step.as ? { [step.as]: item } : {}) }
      const group = this.#group(running, step.steps, place, index, locals)
      groups.push(group)
      if (step.concurrency === 1 && group.ending !== 'done') break
    }
    running.output = () => groups.map(({ list }) => outputOf(list))
    if (step.concurrency > 1) return this.#join(running, groups, true)
    return this.#join(running, groups.slice(-1), true)
  }

  #cycle(running: Running, step: CycleStep, place: Place): 'done' | 'stopped' {
    let last: unknown = null
    for (let iteration = 1; iteration <= step.max; iteration += 1) {
      const group = this.#group(running, step.steps, place, iteration, { iteration, last })
      running.output = () => outputOf(group.list)
      const ending = this.#join(running, [group], true)
      if (ending === 'stopped') return ending
      last = running.output()
      const inside = {
        ...place,
        named: [group.names, ...place.named],
        locals: { ...place.locals, iteration, last },
      }
      if (step.until && this.#holds(step.until, inside)) return 'done'
    }
    if (step.until) throw failed('CONFLICT', 'cycle_exhausted')
    return 'done'
  }

  #workflow(running: Running, step: WorkflowStep, place: Place): 'done' {
    const child = this.#found.children[step.child]
    if (!child) throw new Error(`case ${this.#found.name} has no child ${step.child}`)
    const input = { n: this.#value(step.n, place), x: step.x ? this.#value(step.x, place) : null }
    if (!Number.isInteger(input.n)) throw failed('INVALID', 'invalid_input')
    const means = undone(new Interpreter(this.#found, child, input).run())
    this.#children.push({ by: running, attempt: running.attempt, means })
    if (means.status === 'failed') throw new Failed(...means.errors)
    running.output = () => means.output
    return 'done'
  }

  /** One branch, item or iteration. */
  #group(
    running: Running,
    steps: readonly Step[],
    place: Place,
    group: number,
    locals: Record<string, unknown> = {},
  ): Group {
    const { step, attempt: generation } = running
    const around = [...place.around, { step, generation, group }]
    const walked = this.#walk(steps, { ...place, around, locals: { ...place.locals, ...locals } })
    running.inside.push(...walked.list)
    return walked
  }

  /** What groups side by side come to together: the first that fails stops the others wherever they are. */
  #join(running: Running, groups: readonly Group[], failsWithOne: boolean): 'done' | 'stopped' {
    const ends = groups.filter(({ ending }) => ending !== 'done')
    const failures = ends.flatMap(({ ending }) => (typeof ending === 'object' ? [ending.failed] : []))
    const isStopped = ends.some(({ ending }) => ending === 'stopped')
    if (isStopped && ends.length > 1) throw new Ambiguous()
    if (!isStopped && (failures.length === 0 || !failsWithOne)) return 'done'
    for (const group of groups) {
      const isSure = groups.length === 1 || (ends.length === 1 && group === ends[0])
      if (!isSure) for (const inner of group.list.flatMap(withInside)) inner.loose = true
    }
    for (const [name, maker] of this.#makers) {
      const artifact = this.#artifacts.get(name)
      if (maker.loose && artifact) artifact.loose = true
    }
    if (isStopped) return 'stopped'
    const possible = failures.flatMap((inner) => inner.failures)
    if (running.step.attempts && new Set(possible.map((one) => mayPass([one]))).size > 1)
      throw new Ambiguous()
    throw new Failed(...possible)
  }

  #holds(condition: Expression, place: Place): boolean {
    return this.#value(condition, place) === true
  }

  #shown(see: Expression | undefined, place: Place): string {
    if (!see) return 'nothing'
    const value = this.#value(see, place)
    return typeof value === 'string' ? value : JSON.stringify(value)
  }

  #value(expression: Expression, place: Place): unknown {
    try {
      return evaluated(expression, {
        phase: (name, field) => this.#phase(name, field, place),
        artifact: (name) => this.#artifact(name, place),
        local: (name) => (name === 'input' ? this.#input : place.locals[name]),
      })
    } catch (error) {
      throw error instanceof Unseen ? failed('INVALID', 'expression_failed') : error
    }
  }

  #phase(name: string, field: string | number | undefined, { named }: Place): unknown {
    const running = named.find((list) => list.has(name))?.get(name)
    if (running?.loose) throw new Ambiguous()
    if (field === 'status') return running?.status ?? 'pending'
    return running?.status === 'completed' ? running.output() : null
  }

  /** Inside a map each item has its own. */
  #artifact(name: string, place: Place): unknown {
    const depth = this.#mapsAround(name)
    const found = this.#artifacts.get(name + items(place, depth))
    if (found?.loose) throw new Ambiguous()
    return found?.content
  }

  #mapsAround(artifact: string): number {
    const look = (steps: readonly Step[], maps: number): number | undefined => {
      for (const step of steps) {
        if (artifactOf(step.name) === artifact) return maps
        const inside = listsOf(step).map((list) => look(list, step.kind === 'map' ? maps + 1 : maps))
        const depth = inside.find((each) => each !== undefined)
        if (depth !== undefined) return depth
      }
      return undefined
    }
    return look(this.#template.steps, 0) ?? 0
  }
}
