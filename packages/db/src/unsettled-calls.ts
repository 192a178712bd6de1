import type { Provider } from '@devflow/contracts'
import type pg from 'pg'

/** A call whose cost is not known yet, though it ended. */
export interface UnsettledCall {
  runId: string
  phase: string
  attempt: number
  turn: number
  call: number
  provider: Provider
  model: string
  generationId: string | null
  reservedMicroUsd: number
  /** How long ago it ended, in ms. */
  ageMs: number
}

/** Calls that ended without a known cost, oldest first. */
export async function readUnsettledCalls(pool: pg.Pool, most: number): Promise<UnsettledCall[]> {
  const { rows } = await pool.query<
    Omit<UnsettledCall, 'reservedMicroUsd' | 'ageMs'> & { reservedMicroUsd: string; ageMs: string }
  >({
    name: 'read-unsettled-calls',
    text: `select run_id as "runId", phase, attempt, turn, call, provider, model, generation_id as "generationId", reserved_micro_usd as "reservedMicroUsd",
             extract(epoch from clock_timestamp() - ended_at) * 1000 as "ageMs"
           from devflow.model_calls where status in ('unsettled', 'aborted') and cost_micro_usd is null and ended_at is not null order by ended_at limit $1`,
    values: [most],
  })
  return rows.map((row) => ({
    ...row,
    reservedMicroUsd: Number(row.reservedMicroUsd),
    ageMs: Number(row.ageMs),
  }))
}

/** Calls of a run that neither ended nor were given up: their session was lost, and no other will take it over. */
export async function readOpenCalls(
  pool: pg.Pool,
  run: string,
): Promise<Pick<UnsettledCall, 'phase' | 'attempt' | 'turn' | 'call' | 'generationId'>[]> {
  const { rows } = await pool.query<
    Pick<UnsettledCall, 'phase' | 'attempt' | 'turn' | 'call' | 'generationId'>
  >({
    name: 'read-open-calls',
    text: `select phase, attempt, turn, call, generation_id as "generationId" from devflow.model_calls
           where run_id = $1 and status = 'reserved' order by at`,
    values: [run],
  })
  return rows
}
