import type pg from 'pg'
import { transaction } from '../command/transaction.ts'
import type { CallPlace } from '../unsettled-calls.ts'

const MOST_AT_ONCE = 200

/**
 * Ends calls that are still reserved in runs that are over: their sessions are gone, and nobody else would end them. They are
 * charged their reservation, and the provider is asked what they cost. Answers how many there were.
 */
export async function settleForgottenCalls(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<CallPlace>({
    name: 'forgotten-calls',
    text: `select m.run_id as "runId", m.phase, m.attempt, m.turn, m.call
           from devflow.run_budgets b join devflow.run_heads h on h.run_id = b.run_id and h.control = 'over'
             join devflow.model_calls m on m.run_id = b.run_id and m.status = 'reserved' and m.cost_micro_usd is null
           where b.reserved_micro_usd <> 0 or b.reserved_tokens <> 0 limit $1`,
    values: [MOST_AT_ONCE],
  })
  let settled = 0
  for (const call of rows) settled += (await transaction(pool, (client) => settle(client, call))) ? 1 : 0
  return settled
}

/** False when somebody else has, or the run goes on: then its session has the call. */
async function settle(
  client: pg.PoolClient,
  { runId, phase, attempt, turn, call }: CallPlace,
): Promise<boolean> {
  const { rows: heads } = await client.query({
    name: 'lock-finished-run',
    text: `select 1 from devflow.run_heads where run_id = $1 and control = 'over' for no key update`,
    values: [runId],
  })
  if (heads.length === 0) return false
  const { rows } = await client.query<{ reserved: number }>({
    name: 'forgotten-call',
    text: `select reserved_micro_usd::float8 as reserved from devflow.model_calls
           where (run_id, phase, attempt, turn, call) = ($1, $2, $3, $4, $5) and status = 'reserved' and cost_micro_usd is null`,
    values: [runId, phase, attempt, turn, call],
  })
  const [open] = rows
  if (!open) return false
  const line = {
    type: 'call.reconciled',
    key: `${phase}/${attempt}/${turn}/call-${call}/estimated`,
    ...{ phase, attempt, turn },
    data: { call, costMicroUsd: open.reserved, costSource: 'estimate' },
  }
  await client.query({
    name: 'settle-forgotten-call',
    text: 'select devflow.record($1, $2::jsonb)',
    values: [runId, JSON.stringify([line])],
  })
  // The provider's word still corrects it.
  await client.query({
    name: 'ask-about-forgotten-call',
    text: `insert into devflow.call_lookups (run_id, phase, attempt, turn, call, tenant, looks, due_at)
           select run_id, phase, attempt, turn, call, tenant, 0, clock_timestamp() from devflow.model_calls
           where (run_id, phase, attempt, turn, call) = ($1, $2, $3, $4, $5) and generation_id is not null on conflict do nothing`,
    values: [runId, phase, attempt, turn, call],
  })
  return true
}
