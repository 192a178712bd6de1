import { expect, test } from 'vitest'
import { counterExamples, sampled } from './counter-examples.ts'
import { planned } from './faults.ts'
import { Theatre } from './play.ts'

const seed = Number(process.env.DEVFLOW_FAULTS_SEED ?? Math.trunc(Math.random() * 2 ** 31))

test(`9 random templates under random faults end as they mean (seed ${seed})`, async () => {
  const theatre = await Theatre.open()
  try {
    const cases = sampled(9, seed)
    const plan = planned(seed, 5, ['worker', 'postgres'])
    const { wrong, figures } = await theatre.play(cases, plan, 20_000)
    process.stdout.write(`${JSON.stringify({ seed, ...figures })}\n`)
    expect(await counterExamples(theatre, cases, wrong, seed), JSON.stringify(plan)).toBe('')
  } finally {
    await theatre.close()
  }
}, 400_000)
