import type { Case } from './case.ts'
import { forkOf } from './forks.ts'
import { Interpreter } from './interpreter.ts'
import { isSettled, type Meaning, turnsOf, withInside } from './running.ts'

/** What a case means, said a second time: its run with all that people do once it is over. */
export interface Story {
  run: Meaning
  /** How often it is retried, and whether once more is refused, since something of it was undone. */
  retries: number
  isRetryRefused: boolean
  /** `refused`: a phase before the one to begin with is not done. */
  fork: Meaning | 'refused' | undefined
}

export function storyOf(found: Case): Story {
  const { retries: most, fork } = found.sequel
  const run = new Interpreter(found, found.template, { ...found.input })
  run.run()
  let retries = 0
  while (retries < most && run.means.status === 'failed' && !run.isUndone) {
    run.retry()
    retries += 1
  }
  const isRetryRefused = retries < most && run.means.status === 'failed'
  return { run: run.means, retries, isRetryRefused, fork: fork && forked(found, run, fork) }
}

/** Turns that are asked for in all of it. */
export const turnsIn = ({ run, fork }: Story): number =>
  turnsOf(run) + (typeof fork === 'object' ? turnsOf(fork) : 0)

function forked(
  { template }: Case,
  run: Interpreter,
  { from, input }: NonNullable<Case['sequel']['fork']>,
): Meaning | 'refused' {
  const { list } = run.top
  // What was undone is done again, with all that follows.
  const undone = run.isUndone
    ? list.findIndex((running) => withInside(running).some(({ status }) => status === 'compensated'))
    : list.length
  const before = Math.min(
    template.steps.findIndex(({ name }) => name === from),
    undone,
  )
  // A gate that ends the run well ends it there.
  const ends = list.findIndex(({ ending }) => ending === 'stopped')
  const reached = list.slice(0, before)
  if (!reached.every(isSettled) || (ends >= 0 && ends < before)) return 'refused'
  const fork = forkOf(run, before, { ...input })
  fork.run()
  return fork.means
}
