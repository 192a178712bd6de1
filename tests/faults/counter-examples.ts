import fc from 'fast-check'
import type { Case } from './case.ts'
import { yamlOf } from './entries.ts'
import { cases } from './grammar.ts'
import type { Theatre } from './play.ts'

/** How long a smaller example is looked for. */
const SHRINKING_MS = 120_000
const PATIENCE_MS = 10_000

/** The first so many cases of a seed. */
export function sampled(count: number, seed: number): Case[] {
  const found: Case[] = []
  fc.assert(
    fc.property(cases, (each) => {
      found.push(each)
    }),
    { seed, numRuns: count },
  )
  return found
}

/**
 * Says what is wrong, for people: each case as YAML with its seed. One that goes wrong without any fault as well is shown
 * as small as it can be made.
 */
export async function counterExamples(
  theatre: Theatre,
  sample: readonly Case[],
  wrong: ReadonlyMap<string, string[]>,
  seed: number,
): Promise<string> {
  const told: string[] = []
  for (const [index, found] of sample.entries()) {
    const faults = wrong.get(found.name)
    if (!faults) continue
    const smallest = told.length === 0 ? await smaller(theatre, seed, index) : undefined
    const shown = smallest ?? { found, faults }
    told.push(
      `case ${index} of seed ${seed}${smallest ? ', made small, without any fault' : ''}:\n${shown.faults.join('\n')}\n${yamlOf(shown.found)}`,
    )
  }
  return told.join('\n\n')
}

/** The smallest case found that goes wrong without faults; undefined when this one does not. */
async function smaller(
  theatre: Theatre,
  seed: number,
  index: number,
): Promise<{ found: Case; faults: string[] } | undefined> {
  let smallest: { found: Case; faults: string[] } | undefined
  await fc.check(
    fc.asyncProperty(cases, async (found) => {
      const { wrong } = await theatre.play([found], [], PATIENCE_MS, 'ends')
      const faults = wrong.get(found.name)
      if (faults) smallest = { found, faults }
      return faults === undefined
    }),
    {
      seed,
      path: String(index),
      numRuns: index + 1,
      endOnFailure: false,
      interruptAfterTimeLimit: SHRINKING_MS,
    },
  )
  return smallest
}
