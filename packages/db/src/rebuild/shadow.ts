import type pg from 'pg'

/** The projections, with the columns that name a row in each. `run_heads` is compared apart: the log knows part of it. */
export const PROJECTIONS = {
  runs: ['id'],
  run_budgets: ['run_id'],
  phases: ['run_id', 'id'],
  model_calls: ['run_id', 'phase', 'attempt', 'turn', 'call'],
  gates: ['run_id', 'id'],
  gate_decisions: ['run_id', 'gate', 'attempt', 'principal'],
  gate_delegations: ['run_id', 'gate', 'attempt', 'principal'],
  signals: ['run_id', 'name', 'id'],
  event_waits: ['run_id', 'phase', 'attempt'],
  artifacts: ['run_id', 'name', 'version'],
  workspace_snapshots: ['run_id', 'seq'],
} as const

export type ProjectionTable = keyof typeof PROJECTIONS

export const PROJECTION_TABLES = Object.keys(PROJECTIONS) as ProjectionTable[]

/** The column that holds the run. */
export const runColumn = (table: ProjectionTable) => (table === 'runs' ? 'id' : 'run_id')

const EVENTS_AT_ONCE = 2_000

/**
 * Makes empty twins of the projections and puts them first in the search path of this transaction, so that the
 * projector, whose table names are unqualified, fills them instead.
 */
export async function makeShadow(client: pg.ClientBase): Promise<void> {
  for (const table of [...PROJECTION_TABLES, 'run_heads']) {
    await client.query(`create temp table ${table} (like devflow.${table} including all) on commit drop`)
  }
  await client.query('set local search_path = pg_temp, devflow')
}

/** Fills the shadow anew from the logs of these runs. */
export async function projectRuns(client: pg.ClientBase, runs: readonly string[]): Promise<void> {
  await client.query(
    `truncate ${[...PROJECTION_TABLES, 'run_heads'].map((table) => `pg_temp.${table}`).join(', ')}`,
  )
  await client.query({
    text: `insert into pg_temp.run_heads (run_id, tenant, seq, last_at, control, commands, execution_epoch, execution)
           select run_id, tenant, 0, last_at, 'go', commands, execution_epoch, execution from devflow.run_heads where run_id = any($1::uuid[])`,
    values: [runs],
  })
  let place: [string, string] | undefined = ['00000000-0000-0000-0000-000000000000', '0']
  while (place) place = await projectPage(client, runs, place)
}

interface Place {
  run_id: string | null
  seq: string | null
}

/**
 * Feeds the projector some more events, and answers where it stopped. A reconciliation begins a batch of its own:
 * within a batch the projector pays each call once.
 */
async function projectPage(
  client: pg.ClientBase,
  runs: readonly string[],
  [run, seq]: [string, string],
): Promise<[string, string] | undefined> {
  const { rows } = await client.query<Place>({
    text: `with page as (
             select row(e.run_id, e.seq, e.tenant, e.type, e.phase, e.attempt, e.turn, e.key, e.data, e.at)::devflow.log_event as event,
               e.run_id, e.seq, e.type, row_number() over (order by e.run_id, e.seq) as n from devflow.run_events e
             where e.run_id = any($1::uuid[]) and (e.run_id, e.seq) > ($2::uuid, $3::bigint)
             order by e.run_id, e.seq limit ${EVENTS_AT_ONCE}
           ), batch as materialized (
             select * from page where n < coalesce((select min(n) from page where type = 'call.reconciled' and n > 1), ${EVENTS_AT_ONCE} + 1)
           ), projected as materialized (
             select devflow.project(array_agg(event order by n))
             from batch having count(*) > 0
           )
           select b.run_id, b.seq from batch b, projected order by b.n desc limit 1`,
    values: [runs, run, seq],
  })
  const [last] = rows
  return last?.run_id && last.seq ? [last.run_id, last.seq] : undefined
}
