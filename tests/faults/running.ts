import type { Step } from './case.ts'

/** What a run comes to. */
export interface Meaning {
  status: 'completed' | 'failed' | 'canceled'
  /** Those that the run may have failed with. */
  errors: Failure[]
  output: unknown
  phases: Map<string, Running>
  /** The latest content of each, by the name the run keeps it by. */
  artifacts: ReadonlyMap<string, { content: unknown; loose: boolean }>
  /** Recorded turns, as phase/attempt/turn; `reused`: in the run that this is a fork of. */
  turns: { key: string; by: Running; reused?: true }[]
  children: { by: Running; attempt: number; means: Meaning }[]
}

export interface Failure {
  kind: string
  code: string
}

export const failure = (kind: string, code: string): Failure => ({ kind, code })

/** A phase fails with one of these. */
export class Failed extends Error {
  readonly failures: Failure[]
  constructor(...failures: Failure[]) {
    super(failures.map(({ code }) => code).join(', '))
    this.failures = failures
  }
}

/** One running of a phase. */
export interface Running {
  id: string
  step: Step
  status: 'pending' | 'running' | 'completed' | 'failed' | 'skipped' | 'canceled' | 'compensated'
  attempt: number
  /** Its first since it began, since a person retried the run, or since a gate sent the run back: `retry` counts from it. */
  roundAttempt: number
  failures: Failure[]
  /** As expressions see it. */
  output: () => unknown
  loose: boolean
  /** All that ran directly inside it, in all its attempts. */
  inside: Running[]
  /** The attempt with which what is inside it began anew, and its branches, items or iterations since then. */
  generation: number
  groups: Map<number, Group>
  /** What a map goes over, and how many iterations a cycle may have. */
  items: unknown[] | undefined
  total: number
  /** The run that it has started last. */
  child: Child | undefined
  /** Of a gate: how often it has sent the run back. */
  rounds: number
  /** How it ended last. */
  ending: Ending | 'back'
  /** Since a gate has sent the run back to it: to which phase, and what people said. */
  sentBack: { to: string; said: string[] } | undefined
}

/** A run that a phase has started. */
export interface Child {
  means: Meaning
  /** It goes on where it failed. */
  retry(): void
}

/** Two ends are possible, and what follows depends on which. Nothing is promised of such a case. */
export class Ambiguous extends Error {}

/** Turns of a run and of those it starts. */
export function turnsOf({ turns, children }: Meaning): number {
  // One that was retried is named by both attempts.
  const own = turns.filter(({ reused }) => !reused).length
  return [...new Set(children.map(({ means }) => means))].reduce((sum, means) => sum + turnsOf(means), own)
}

/**
 * `stopped`: a gate was rejected, and its template ends the run well. `canceled`: the run was. `back`: a gate has sent it
 * back to an earlier phase of its list.
 */
export type Ending = 'done' | 'stopped' | 'canceled' | { failed: Running }

/** A list of phases that was gone through. */
export interface Group {
  list: Running[]
  /** What can be named in it. */
  names: Map<string, Running>
  ending: Ending
}

export function withInside(running: Running): Running[] {
  return [running, ...running.inside.flatMap(withInside)]
}

/** A phase that ends before its time ends all that is not over in it. */
export function close(running: Running): void {
  for (const inner of running.inside.flatMap(withInside))
    if (inner.status === 'pending' || inner.status === 'running') inner.status = 'canceled'
}

/** What a list of phases comes to: the output of the last that was not skipped. */
export function outputOf(list: readonly Running[]): unknown {
  const last = list.findLast(({ status }) => status !== 'skipped' && status !== 'pending')
  if (last?.loose) throw new Ambiguous()
  return last?.status === 'completed' ? last.output() : null
}

/** Another attempt fails the same way where the template is wrong; what the model made of it may come out better. */
export function mayPass(failures: readonly Failure[]): boolean {
  return failures.every(({ kind, code }) => code === 'artifact_invalid' || kind !== 'INVALID')
}

/** It is done, and the list goes on after it. */
export function isSettled({ status, step }: Running): boolean {
  return status === 'completed' || status === 'skipped' || (status === 'failed' && step.continues)
}

/** It begins its next attempt. `anew`: with all that is in it. */
export function again(running: Running, anew: boolean): void {
  running.attempt += 1
  running.status = 'pending'
  running.failures = []
  running.output = () => null
  if (!anew) return
  running.generation = running.attempt
  running.groups = new Map()
  running.items = undefined
  running.total = 0
}

/** Names of what was in a parallel count outside as well, once it is over. */
export function exported({ step, groups }: Running): [string, Running][] {
  return step.kind === 'parallel' ? [...groups.values()].flatMap(({ names }) => [...names]) : []
}

/** A phase that has not begun. */
export const pending = (id: string, step: Step): Running => ({
  id,
  step,
  status: 'pending',
  attempt: 1,
  roundAttempt: 1,
  failures: [],
  output: () => null,
  loose: false,
  inside: [],
  generation: 1,
  groups: new Map(),
  items: undefined,
  total: 0,
  child: undefined,
  rounds: 0,
  ending: 'done',
  sentBack: undefined,
})

/** A copy with all that is in it: what becomes of that is nothing to the first. */
export function copied(running: Running, known: Map<Running, Running>): Running {
  const made = known.get(running)
  if (made) return made
  const copy = { ...running }
  known.set(running, copy)
  copy.inside = running.inside.map((inner) => copied(inner, known))
  copy.groups = new Map(
    [...running.groups].map(([at, { list, names, ending }]) => [
      at,
      {
        list: list.map((inner) => copied(inner, known)),
        names: new Map([...names].map(([name, inner]) => [name, copied(inner, known)])),
        ending,
      },
    ]),
  )
  return copy
}
