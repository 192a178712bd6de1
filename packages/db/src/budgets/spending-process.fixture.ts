// A process whose sessions spend a shared budget until it refuses them: each reserves what a call takes at most, then
// settles by what it cost. Told `hold`, it reserves once a run, says so, and waits to be killed.
import pg from 'pg'
import type { Answer } from '../append-types.ts'
import { GroupWriter } from '../group-writer.ts'
import { reservedCall, type Spending, settledCall } from './spending.fixture.ts'

process.once('message', async ({ databaseUrl, runs, cap, settles = true, hold = false }: Spending) => {
  const pool = new pg.Pool({ connectionString: databaseUrl })
  const writer = new GroupWriter(databaseUrl, pool)
  const left: number[] = []
  await Promise.all(
    runs.map(async (run, index) => {
      for (let turn = 1; ; turn += 1) {
        const answer: Answer = await writer.append(reservedCall(run, turn, { microUsd: cap }))
        if (answer.verdict === 'refused') {
          left.push(answer.over?.leftMicroUsd ?? Number.NaN)
          return
        }
        if (answer.verdict !== 'written') throw new Error(`unexpected ${answer.verdict}`)
        if (hold) return
        if (!settles) continue
        const costMicroUsd = (cap * ((index * 7 + turn * 3) % 11)) / 10
        await writer.append(settledCall(run, turn, Math.min(cap, costMicroUsd)))
      }
    }),
  )
  process.send?.(left)
  if (!hold) {
    await writer.close()
    await pool.end()
    process.disconnect?.()
  }
})
