/**
 * What the fault suite runs: a template with all that people, events and models do in it. A kind of phase is named in
 * four places: here (what it is), in `grammar.ts` (how one is made up), in `entries.ts` (how it is written) and in
 * `meaning.ts` (what it means).
 */
export interface Case {
  /** Unique in a process: templates, topics and prompts carry it. */
  name: string
  template: Template
  children: Template[]
  input: CaseInput
  /** Agents work in clones of a repository. */
  hasWorkspace: boolean
  /**
   * Tokens that a run may use until it asks. Raised each time, it comes to the same; refused at the gate of this number, what
   * it comes to depends on when that was: then only the laws of all runs hold.
   */
  budget: { tokens: number; refusedAt: number | undefined } | undefined
  sequel: Sequel
}

/** What people do once the run is over. */
export interface Sequel {
  /** How often they retry it, as long as it fails. */
  retries: number
  /** A fork of it, from one of the phases at the top, with an input of its own. */
  fork: { from: string; input: CaseInput } | undefined
}

export interface CaseInput {
  n: number
  word: string
  list: number[]
}

export interface Template {
  id: string
  steps: Step[]
  /** Phases at the top whose output the run's output holds. */
  tells: string[]
}

/** An expression: `cel.ts` writes it in CEL, `meaning.ts` says what it comes to. */
export type Expression =
  | { get: (string | number)[] }
  | { more: Expression; than: number }
  | { same: Expression; as: string | number | null }
  | { not: Expression }
  | { both: [Expression, Expression] }
  | { plus: [Expression, number] }
  | { sizeOf: Expression }

/** What stands where a phase speaks of others: names in a case, numbers in a draft of one. */
export interface Words {
  expression: unknown
  artifact: unknown
  phase: unknown
}
interface Named extends Words {
  expression: Expression
  artifact: string
  phase: string
}

/** What every phase may say. */
export interface Rules<W extends Words = Named> {
  name: string
  when: W['expression'] | undefined
  /** `retry.maxAttempts`. */
  attempts: number | undefined
  continues: boolean
  /** It has a `compensate`. */
  undo: boolean
}

/** How an agent's attempt goes: a turn in which it asks others for help, turns with a tool, then its end. */
export interface Reply {
  /** How many it asks, side by side. */
  helpers: number
  tools: number
  /** The first call of its first turn fails in passing. */
  hiccup: boolean
  /** `repaired`: its artifact is broken at first; `broken`: it stays so; `refused`, `down`: the provider does not answer. */
  end: 'well' | 'repaired' | 'broken' | 'refused' | 'down'
  n: number
}

export interface AgentStep<W extends Words = Named> extends Rules<W> {
  kind: 'agent'
  see: W['expression'] | undefined
  inputs: W['artifact'][]
  /** It makes an artifact; else it answers in plain text. */
  makes: boolean
  /** By attempt, item and iteration: see `nth`. */
  replies: Reply[]
  /** Its model never answers, and its time runs out. */
  hangs: boolean
}

export interface FunctionStep<W extends Words = Named> extends Rules<W> {
  kind: 'function'
  see: W['expression'] | undefined
  /** Whether it may be called again after a crash. */
  effects: 'none' | 'external'
  /** `wrong`: what it does not promise. */
  answers: ('well' | 'throws' | 'wrong')[]
}

/** `changes`: they ask for some. `cancel`: they cancel the run, and do not decide. */
export type Said = 'approve' | 'reject' | 'changes' | 'cancel'

export interface GateStep<W extends Words = Named> extends Rules<W> {
  kind: 'gate'
  see: W['expression'] | undefined
  quorum: number
  onReject: 'fail' | 'end'
  /** To which phase it sends the run back, and by what; so often, and no more. */
  back: { to: W['phase']; by: 'changes' | 'reject'; most: number } | undefined
  /** What people say, by attempt, item and iteration; or nobody does, and its time runs out. */
  closes: { decisions: Said[] } | { deadline: 'approve' | 'reject' | 'fail' } | 'timeout'
}

export interface WaitStep<W extends Words = Named> extends Rules<W> {
  kind: 'wait'
  /** `timeout`: for a signal that never comes. `early`: what is waited for comes before the wait as well. */
  for: 'moment' | 'past' | 'timeout' | { by: 'signal' | 'event'; n: number; early: boolean }
}

export interface ParallelStep<W extends Words = Named> extends Rules<W> {
  kind: 'parallel'
  branches: Step<W>[][]
  /** `onError: continue` for its branches. */
  passesOver: boolean
}

export interface MapStep<W extends Words = Named> extends Rules<W> {
  kind: 'map'
  over: number[] | W['expression']
  as: string | undefined
  concurrency: number
  steps: Step<W>[]
}

export interface CycleStep<W extends Words = Named> extends Rules<W> {
  kind: 'cycle'
  until: W['expression'] | undefined
  max: number
  steps: Step<W>[]
}

export interface WorkflowStep<W extends Words = Named> extends Rules<W> {
  kind: 'workflow'
  /** Which of the case's children. */
  child: number
  n: W['expression']
  x: W['expression'] | undefined
}

export type Step<W extends Words = Named> =
  | AgentStep<W>
  | FunctionStep<W>
  | GateStep<W>
  | WaitStep<W>
  | ParallelStep<W>
  | MapStep<W>
  | CycleStep<W>
  | WorkflowStep<W>

/** The lists of phases inside a phase. */
export function listsOf(step: Step): Step[][] {
  if (step.kind === 'parallel') return step.branches
  return step.kind === 'map' || step.kind === 'cycle' ? [step.steps] : []
}

/** All phases, from top to bottom. */
export function allSteps(steps: readonly Step[]): Step[] {
  return steps.flatMap((step) => [step, ...listsOf(step).flatMap(allSteps)])
}

/** Agents that are asked for help get a share of the budget, and may not ask for more. */
export const asksForHelp = (step: Step): boolean =>
  step.kind === 'agent' && step.replies.some(({ helpers }) => helpers > 0)

/** The phases of a list that a gate sends the run back over: from the one that is meant, or holds it, up to the gate. */
export function sentOver(list: readonly Step[], gate: Step): Step[] {
  if (gate.kind !== 'gate' || !gate.back) return []
  const { to } = gate.back
  const from = list.findIndex((step) => allSteps([step]).some(({ name }) => name === to))
  return list.slice(from, list.indexOf(gate) + 1)
}

/** Names of phases that may begin anew with all that is in them. */
export function repeating(list: readonly Step[]): Set<string> {
  const again = list.filter(({ attempts }) => attempts !== undefined)
  const back = list.flatMap((step) => sentOver(list, step))
  const inside = list.flatMap(listsOf).flatMap((inner) => [...repeating(inner)])
  return new Set([...[...again, ...back].map(({ name }) => name), ...inside])
}

/** What who asks for changes, or rejects, says where that sends the run back. */
export const commentAt = (attempt: number): string => `Again, after ${attempt}.`

export const artifactOf = (name: string): string => `a${name}`

/** How often a phase ran before this running of it, more or less: one more with each attempt and each number in its id. */
export function indexOf(name: string, id: string, attempt: number): number {
  const marks = id.slice(name.length).match(/\d+/g) ?? []
  return marks.reduce((sum, mark) => sum + Number(mark), attempt - 1)
}

/**
 * Which of a list is meant in one running of a phase: the first at first, one further with each attempt and each number
 * in its id; the last one for all that follow.
 */
export function nth<T>(list: readonly T[], name: string, id: string, attempt: number): T {
  return list[Math.min(indexOf(name, id, attempt), list.length - 1)] as T
}
