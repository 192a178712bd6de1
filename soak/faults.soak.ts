import { expect, test } from 'vitest'
import { counterExamples, sampled } from '../tests/faults/counter-examples.ts'
import { planned } from '../tests/faults/faults.ts'
import { Theatre } from '../tests/faults/play.ts'

const CASES = Number(process.env.DEVFLOW_FAULTS_CASES ?? 500)
const AT_ONCE = 50
const FAULTS_EACH = 12
const seed = Number(process.env.DEVFLOW_FAULTS_SEED ?? Math.trunc(Math.random() * 2 ** 31))

test(`${CASES} random templates under random faults end as they mean (seed ${seed})`, async () => {
  const theatre = await Theatre.open()
  const told: string[] = []
  try {
    const cases = sampled(CASES, seed)
    for (let from = 0; from < cases.length; from += AT_ONCE) {
      const some = cases.slice(from, from + AT_ONCE)
      // Temporal's store is lost once, in the middle.
      const isMiddle = from <= cases.length / 2 && cases.length / 2 < from + AT_ONCE
      const plan = planned(seed + from, FAULTS_EACH, [
        'worker',
        'postgres',
        'freeze',
        seed % 2 === 0 ? 'budgets' : 'asking',
        ...(isMiddle ? (['store'] as const) : []),
      ])
      const { wrong, figures } = await theatre.play(some, plan, 60_000)
      process.stdout.write(`${JSON.stringify({ seed, from, ...figures })}\n`)
      const example = await counterExamples(theatre, cases, wrong, seed)
      if (example === '') continue
      told.push(`${JSON.stringify(plan)}\n${example}`)
      // At once: it is long until the end.
      process.stderr.write(`${told.at(-1)}\n`)
    }
    expect(told.join('\n\n')).toBe('')
  } finally {
    await theatre.close()
  }
})
