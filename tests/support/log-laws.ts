import type pg from 'pg'

/** Tables a run is projected to, with what is compared. Heads also hold what is not projected. */
const PROJECTIONS: Record<string, string> = {
  runs: 't.*',
  run_budgets: 't.*',
  phases: 't.*',
  gates: 't.*',
  gate_decisions: 't.*',
  signals: 't.*',
  artifacts: 't.*',
  model_calls: 't.*',
  run_heads: 't.run_id, t.control',
}

const TERMINAL = ['run.completed', 'run.failed', 'run.canceled']

/**
 * What is wrong with a run's log and its projections, by the laws every log obeys at every moment: no gap in seq over
 * events and chunks, keys unique, time never running back, nothing after the end, and projections as the log says.
 */
export async function brokenLaws(pool: pg.Pool, run: string): Promise<string[]> {
  const client = await pool.connect()
  try {
    await client.query('begin isolation level repeatable read')
    return [...(await orderFaults(client, run)), ...(await projectionFaults(client, run))]
  } finally {
    await client.query('rollback')
    client.release()
  }
}

async function orderFaults(client: pg.PoolClient, run: string): Promise<string[]> {
  const { rows } = await client.query<{ seq: string; type: string; key: string; at: Date }>(
    `select seq, type, key, at from devflow.run_events where run_id = $1
     union all select seq, 'chunk', 'chunk:' || key, at from devflow.run_chunks where run_id = $1 order by seq`,
    [run],
  )
  const faults: string[] = []
  const keys = new Set<string>()
  let over = false
  for (const [index, { seq, type, key, at }] of rows.entries()) {
    if (Number(seq) !== index + 1) return [`seq ${seq} stands where ${index + 1} should`]
    if (keys.has(key)) faults.push(`key ${key} stands twice`)
    keys.add(key)
    const before = rows[index - 1]
    if (before && before.at > at) faults.push(`seq ${seq} is older than the one before`)
    if (type === 'run.retried') over = false
    if (over && type !== 'call.reconciled') faults.push(`${type} (seq ${seq}) stands after the end`)
    if (TERMINAL.includes(type)) over = true
  }
  const { rows: heads } = await client.query<{ seq: string; control: string }>(
    'select seq, control from devflow.run_heads where run_id = $1',
    [run],
  )
  if (Number(heads[0]?.seq) !== rows.length)
    faults.push(`the head says ${heads[0]?.seq}, the log has ${rows.length}`)
  if ((heads[0]?.control === 'over') !== over)
    faults.push(`control is ${heads[0]?.control}, the log is ${over ? '' : 'not '}over`)
  return faults
}

/** Projects the log again, into empty tables of the same make, and compares row by row. */
async function projectionFaults(client: pg.PoolClient, run: string): Promise<string[]> {
  for (const table of Object.keys(PROJECTIONS))
    await client.query(`create temporary table ${table} (like devflow.${table} including all) on commit drop`)
  await client.query('set local search_path = pg_temp, devflow')
  await client.query(
    `insert into run_heads select run_id, tenant, seq, last_at, 'go', commands, execution_epoch, execution from devflow.run_heads where run_id = $1`,
    [run],
  )
  await client.query(
    'select devflow.project((select array_agg(e order by e.seq) from devflow.run_events e where e.run_id = $1))',
    [run],
  )
  const faults: string[] = []
  for (const [table, columns] of Object.entries(PROJECTIONS)) {
    const key = table === 'runs' ? 'id' : 'run_id'
    const { rows } = await client.query<{ live: unknown; projected: unknown }>(
      `with live as (select to_jsonb(x) as row from (select ${columns} from devflow.${table} t where t.${key} = $1) x),
         projected as (select to_jsonb(x) as row from (select ${columns} from pg_temp.${table} t) x)
       select live.row as live, projected.row as projected from live full join projected using (row) where live.row is null or projected.row is null`,
      [run],
    )
    if (rows.length > 0) faults.push(`${table} is not what the log says: ${JSON.stringify(rows)}`)
  }
  return faults
}
