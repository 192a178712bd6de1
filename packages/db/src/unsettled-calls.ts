import type { CostSource, Provider } from '@devflow/contracts'
import type pg from 'pg'

/** What names a call in the ledger. */
export interface CallPlace {
  runId: string
  phase: string
  attempt: number
  turn: number
  call: number
}

/** A call that ended, and whose cost the provider is to be asked for. */
export interface UnsettledCall extends CallPlace {
  provider: Provider
  model: string
  generationId: string | null
  reservedMicroUsd: number
  /** Undefined: nothing is known. `estimate`: charged, and open to correction. Any other: nothing is left to ask. */
  costSource: CostSource | undefined
  /** How long ago it ended, in ms. */
  ageMs: number
}

/** When calls are asked about again, in ms. */
export interface LookupPace {
  /** From a call's end to the second look, at least. From then on each look comes when the call is twice as old. */
  firstMs: number
  /** The longest time between two looks while nothing is known. */
  mostMs: number
  /** The age at which a call is charged by estimate. */
  patienceMs: number
  /** The longest time between two looks that may only correct an estimate. */
  mostAfterMs: number
}

/**
 * Takes calls that are due to be asked about, and says when they are next: whoever else sweeps, in this process or
 * another, gets other calls, and one that dies on its way leaves them to come again. A call is due once it is lost.
 */
export async function takeDueCalls(
  pool: pg.Pool,
  { firstMs, mostMs, patienceMs, mostAfterMs }: LookupPace,
  most: number,
): Promise<UnsettledCall[]> {
  const { rows } = await pool.query<
    Omit<UnsettledCall, 'reservedMicroUsd' | 'ageMs' | 'costSource'> & {
      reservedMicroUsd: string
      ageMs: string
      costSource: CostSource | null
    }
  >({
    name: 'take-due-calls',
    text: `with due as (
             select run_id, phase, attempt, turn, call from devflow.call_lookups where due_at <= clock_timestamp() order by due_at limit $1 for update skip locked
           ), aged as (
             select m.run_id, m.phase, m.attempt, m.turn, m.call, m.provider, m.model, m.generation_id, m.reserved_micro_usd, m.cost_source,
               m.cost_micro_usd is not null as is_charged, extract(epoch from clock_timestamp() - m.ended_at) * 1000 as age
             from due d join devflow.model_calls m using (run_id, phase, attempt, turn, call)
           )
           update devflow.call_lookups l set looks = l.looks + 1, due_at = clock_timestamp() + interval '1 ms' * (
             case when a.is_charged then least(greatest(a.age, $4), $5)
               else least(greatest(a.age, $2), $3, greatest($4 - a.age, $2)) end)
           from aged a where (l.run_id, l.phase, l.attempt, l.turn, l.call) = (a.run_id, a.phase, a.attempt, a.turn, a.call)
           returning a.run_id as "runId", a.phase, a.attempt, a.turn, a.call, a.provider, a.model, a.generation_id as "generationId",
             a.reserved_micro_usd as "reservedMicroUsd", a.cost_source as "costSource", a.age as "ageMs"`,
    values: [most, firstMs, mostMs, patienceMs, mostAfterMs],
  })
  return rows.map((row) => ({
    ...row,
    costSource: row.costSource ?? undefined,
    reservedMicroUsd: Number(row.reservedMicroUsd),
    ageMs: Number(row.ageMs),
  }))
}

/** Nothing is left to ask about this call. */
export async function forgetLookup(
  pool: pg.Pool,
  { runId, phase, attempt, turn, call }: CallPlace,
): Promise<void> {
  await pool.query({
    name: 'forget-lookup',
    text: 'delete from devflow.call_lookups where (run_id, phase, attempt, turn, call) = ($1, $2, $3, $4, $5)',
    values: [runId, phase, attempt, turn, call],
  })
}

type OpenCall = Omit<CallPlace, 'runId'> & Pick<UnsettledCall, 'generationId'>

/** Calls of a run that neither ended nor were given up: their session was lost, and no other will take it over. */
export async function readOpenCalls(pool: pg.Pool, run: string): Promise<OpenCall[]> {
  const { rows } = await pool.query<OpenCall>({
    name: 'read-open-calls',
    // Where nothing is reserved no call is open: then there is no need to look through them.
    text: `select m.phase, m.attempt, m.turn, m.call, m.generation_id as "generationId"
           from devflow.run_budgets b join devflow.model_calls m on m.run_id = b.run_id and m.status = 'reserved'
           where b.run_id = $1 and (b.reserved_micro_usd <> 0 or b.reserved_tokens <> 0) order by m.at`,
    values: [run],
  })
  return rows
}
