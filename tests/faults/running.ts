import type { Step } from './case.ts'

/** What a run comes to. */
export interface Meaning {
  status: 'completed' | 'failed'
  /** Those that the run may have failed with. */
  errors: Failure[]
  output: unknown
  phases: Map<string, Running>
  /** The latest content of each artifact, by the name the run keeps it by. */
  artifacts: Map<string, { content: unknown; loose: boolean }>
  /** Recorded turns, as phase/attempt/turn. */
  turns: { key: string; by: Running }[]
  children: { by: Running; attempt: number; means: Meaning }[]
}

export interface Failure {
  kind: string
  code: string
}

/** One running of a phase. */
export interface Running {
  id: string
  step: Step
  status: 'pending' | 'running' | 'completed' | 'failed' | 'skipped' | 'canceled' | 'compensated'
  attempt: number
  failures: Failure[]
  /** As expressions see it. */
  output: () => unknown
  loose: boolean
  /** All that ran directly inside it, in all its attempts. */
  inside: Running[]
}

/** Two ends are possible, and what follows depends on which. Nothing is promised of such a case. */
export class Ambiguous extends Error {}

/** Turns of a run and of those it starts. */
export function turnsOf({ turns, children }: Meaning): number {
  return children.reduce((sum, { means }) => sum + turnsOf(means), turns.length)
}

/** `stopped`: a gate was rejected, and its template ends the run well. */
export type Ending = 'done' | 'stopped' | { failed: Running }

/** A list of phases that was gone through. */
export interface Group {
  list: Running[]
  /** What can be named after it. */
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
