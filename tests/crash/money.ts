import { expect } from 'vitest'
import { expectTrueProjections, expectWholeLog, requestsByTurn, submit, waitForStatus } from './runs.ts'
import type { Stack } from './stack.ts'

interface LedgerRow {
  generation_id: string | null
  status: string
  reserved: string
  cost: string | null
  cost_source: string | null
}

/** Millionths of a micro-dollar: the provider's figures have at most six decimals, and sums must be exact. */
const exact = (microUsd: number | string): bigint => {
  const [whole = '0', decimals = ''] = Number(microUsd).toFixed(6).split('.')
  return BigInt(whole) * 1_000_000n + BigInt(decimals)
}

/** Keeps `atOnce` runs going while workers are killed at random moments, until `kills` have died; all runs then end well. */
export async function killWorkersAtRandom(
  stack: Stack,
  kills: number,
  atOnce: number,
): Promise<{ runs: string[]; kills: number }> {
  const runs: string[] = []
  let killed = 0
  const live = async () => {
    do {
      const run = await submit(stack, 'crash:one@1', { turns: 4, chunks: 8, chunkDelayMs: 8 })
      runs.push(run)
      await waitForStatus(stack, run, 'completed', 120_000)
    } while (killed < kills)
  }
  const kill = async () => {
    while (killed < kills) {
      await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 1_200))
      const { workers } = stack.ready.pids
      const victim = workers[Math.floor(Math.random() * workers.length)]
      if (victim === undefined) continue
      process.kill(victim, 'SIGKILL')
      killed += 1
      await stack.backAfter([victim])
    }
  }
  await Promise.all([kill(), ...Array.from({ length: atOnce }, live)])
  return { runs, kills: killed }
}

/**
 * The books of these runs against the provider's (I5): every request is covered by a reservation; settled ≤ billed ≤
 * settled + unsettled; equal, call by call, wherever a generation id was received.
 */
export async function expectBooksToAgree(
  stack: Stack,
  runs: string[],
  kills: number,
): Promise<{ requests: number; repeated: number; unsettled: number }> {
  const { requests, unsettled } = await expectSameSums(stack, runs)
  let repeated = 0
  for (const run of runs) {
    for (const made of (await requestsByTurn(stack, run)).values()) repeated += made.length - 1
    await expectWholeLog(stack, run, { repeats: kills })
  }
  await expectTrueProjections(stack)
  return { requests, repeated, unsettled }
}

/** The part that is about money alone. */
export async function expectSameSums(
  stack: Stack,
  runs: string[],
): Promise<{ requests: number; unsettled: number }> {
  const read = async () => {
    const { rows } = await stack.pool.query<LedgerRow>(
      // What a fork has taken over was paid by another run.
      `select generation_id, status, reserved_micro_usd as reserved, cost_micro_usd as cost, cost_source
       from devflow.model_calls where run_id = any($1) and cost_source is distinct from 'reused'`,
      [runs],
    )
    return rows
  }
  // Lost calls with a generation id are reconciled in the background.
  await expect
    .poll(
      async () =>
        (await read()).filter(({ generation_id, cost }) => generation_id !== null && cost === null).length,
      { timeout: 60_000, interval: 200 },
    )
    .toBe(0)
  const rows = await read()
  const byId = new Map(
    rows.flatMap((row) => (row.generation_id === null ? [] : [[row.generation_id, row] as const])),
  )
  const requests = (await stack.requests()).filter(({ session }) =>
    runs.some((run) => session.startsWith(run)),
  )
  let settled = 0n
  let open = 0n
  let billed = 0n
  for (const row of rows) {
    // What nobody can account for is charged its reservation after ten minutes: an estimate, not the provider's word.
    if (row.cost === null || row.cost_source === 'estimate') open += exact(row.reserved)
    else settled += exact(row.cost)
  }
  for (const request of requests) {
    billed += exact(request.billedMicroUsd)
    const row = byId.get(request.id)
    if (row)
      expect({ id: request.id, cost: exact(row.cost ?? 0) }).toEqual({
        id: request.id,
        cost: exact(request.billedMicroUsd),
      })
  }
  const unmatched = requests.filter(({ id }) => !byId.has(id)).length
  expect(unmatched).toBeLessThanOrEqual(rows.filter(({ generation_id }) => generation_id === null).length)
  expect(rows.length).toBeGreaterThanOrEqual(requests.length)
  expect(settled <= billed, `settled ${settled} ≤ billed ${billed}`).toBe(true)
  expect(billed <= settled + open, `billed ${billed} ≤ settled ${settled} + unsettled ${open}`).toBe(true)
  return { requests: requests.length, unsettled: rows.filter(({ cost }) => cost === null).length }
}
