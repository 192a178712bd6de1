import { rebuild } from '@devflow/db'
import type pg from 'pg'

const TERMINAL = ['run.completed', 'run.failed', 'run.canceled']
const ENDS = ['phase.completed', 'phase.failed', 'phase.skipped']
/** What no attempt of a phase does once it is over. What was under way then may still be put on record. */
const BEGINS = [
  'phase.started',
  ...ENDS,
  'turn.started',
  'call.reserved',
  'subagent.started',
  'gate.opened',
  'budget.exceeded',
  'wait.opened',
  'child.started',
]

/**
 * What is wrong with the logs of these runs, by the laws every log obeys at every moment: no gap in seq over events and
 * chunks, keys unique, time never running back, nothing after the end, nothing begun by an attempt that is over; and
 * projections as the log says.
 */
export async function brokenLaws(
  pool: pg.Pool,
  databaseUrl: string,
  runs: readonly string[],
): Promise<Record<string, string[]>> {
  const { differences } = await rebuild(databaseUrl, { check: true })
  const broken: Record<string, string[]> = {}
  for (const run of runs) {
    const faults = differences
      .filter(({ runId }) => runId === run)
      .map((difference) => `is not what the log says: ${JSON.stringify(difference)}`)
    faults.push(...(await orderFaults(pool, run)))
    if (faults.length > 0) broken[run] = faults
  }
  return broken
}

async function orderFaults(pool: pg.Pool, run: string): Promise<string[]> {
  const { rows } = await pool.query<{
    seq: string
    type: string
    key: string
    at: Date
    attempt: string | null
  }>(
    `select seq, type, key, at, split_part(phase, '~', 1) || '/' || attempt as attempt from devflow.run_events where run_id = $1
     union all select seq, 'chunk', 'chunk:' || key, at, null from devflow.run_chunks where run_id = $1 order by seq`,
    [run],
  )
  const faults: string[] = []
  const keys = new Set<string>()
  const ended = new Set<string>()
  let over = false
  for (const [index, { seq, type, key, at, attempt }] of rows.entries()) {
    if (Number(seq) !== index + 1) return [`seq ${seq} stands where ${index + 1} should`]
    if (keys.has(key)) faults.push(`key ${key} stands twice`)
    keys.add(key)
    const before = rows[index - 1]
    if (before && before.at > at) faults.push(`seq ${seq} is older than the one before`)
    if (type === 'run.retried') over = false
    if (over && type !== 'call.reconciled') faults.push(`${type} (seq ${seq}) stands after the end`)
    if (TERMINAL.includes(type)) over = true
    if (attempt === null) continue
    // A retry may let an attempt go on.
    if (type === 'phase.retried') ended.delete(attempt)
    if (ended.has(attempt) && BEGINS.includes(type))
      faults.push(`${type} (seq ${seq}) stands after the end of ${attempt}`)
    if (ENDS.includes(type)) ended.add(attempt)
  }
  return faults
}
