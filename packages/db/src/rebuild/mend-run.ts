import type pg from 'pg'
import { transaction } from '../command/transaction.ts'
import { makeShadow, PROJECTION_TABLES, projectRuns, runColumn } from './shadow.ts'

/**
 * Writes a run's projections anew from its log, as it stands once the run's locks are held: appends wait so long.
 * A head that is lost is made again; the next execution and session take their epochs from there.
 */
export async function mendRun(pool: pg.Pool, run: string): Promise<void> {
  await transaction(pool, async (client) => {
    await client.query(
      `insert into devflow.run_heads (run_id, tenant, seq, last_at, control, commands, execution_epoch, pooled)
       select run_id, min(tenant), max(seq), max(at), 'go', coalesce(max(substring(key from '^command/(\\d+)/')::int), 0), 0, devflow.is_pooled()
       from devflow.run_events where run_id = $1 group by run_id on conflict do nothing`,
      [run],
    )
    await client.query('select 1 from devflow.run_heads where run_id = $1 for no key update', [run])
    await makeShadow(client)
    await projectRuns(client, [run])
    for (const table of PROJECTION_TABLES) {
      await client.query(`delete from devflow.${table} where ${runColumn(table)} = $1`, [run])
      await client.query(`insert into devflow.${table} select * from pg_temp.${table}`)
    }
    // Sweeps forget to ask what a call cost that is in no ledger.
    await client.query(
      `insert into devflow.call_lookups (run_id, phase, attempt, turn, call, tenant, looks, due_at)
       select run_id, phase, attempt, turn, call, tenant, 0, ended_at from devflow.model_calls
       where run_id = $1 and status in ('unsettled', 'aborted') and cost_micro_usd is null and ended_at is not null on conflict do nothing`,
      [run],
    )
    await client.query(
      `update devflow.run_heads h set control = s.control, seq = coalesce(l.seq, h.seq), last_at = coalesce(l.at, h.last_at)
       from pg_temp.run_heads s, (select max(x.seq) as seq, max(x.at) as at from (
         select max(seq) as seq, max(at) as at from devflow.run_events where run_id = $1
         union all select max(seq), max(at) from devflow.run_chunks where run_id = $1) x) l
       where h.run_id = $1 and s.run_id = h.run_id`,
      [run],
    )
  })
}
