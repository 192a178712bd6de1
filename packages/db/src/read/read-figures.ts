import type { Queryable } from './queryable.ts'

/** How things stand over all runs, for figures. Money in micro-dollars. */
export interface Figures {
  runs: { status: string; count: number }[]
  /** Of runs that are not over. */
  phases: { kind: string; status: string; count: number }[]
  openGates: number
  oldestOpenGateSeconds: number
  outbox: number
  /** How long the wake that is due longest has been due. */
  outboxLateSeconds: number
  settledMicroUsd: number
  /** Held for calls under way, and for those whose cost is not known yet. */
  reservedMicroUsd: number
  /** What calls that ended without a known cost have reserved: part of `reservedMicroUsd`. */
  unsettledMicroUsd: number
  unsettledCalls: number
}

const READ = `
select
  (select coalesce(jsonb_agg(jsonb_build_object('status', status, 'count', n)), '[]') from (select status, count(*) n from devflow.runs group by status) r) as runs,
  (select coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'status', status, 'count', n)), '[]')
     from (select p.kind, p.status, count(*) n from devflow.runs r join devflow.phases p on p.run_id = r.id
           where r.status in ('queued', 'running', 'waiting', 'paused') group by p.kind, p.status) p) as phases,
  g.n as "openGates", coalesce(extract(epoch from clock_timestamp() - g.oldest), 0) as "oldestOpenGateSeconds",
  o.n as outbox, greatest(coalesce(extract(epoch from clock_timestamp() - o.due), 0), 0) as "outboxLateSeconds",
  b.settled as "settledMicroUsd", b.reserved as "reservedMicroUsd", c.reserved as "unsettledMicroUsd", c.n as "unsettledCalls"
from (select count(*) n, min(opened_at) oldest from devflow.gates where status = 'open') g,
  (select count(*) n, min(due_at) due from devflow.outbox) o,
  (select coalesce(sum(settled_micro_usd), 0) settled, coalesce(sum(reserved_micro_usd), 0) reserved from devflow.run_budgets) b,
  (select count(*) n, coalesce(sum(reserved_micro_usd), 0) reserved
     from devflow.call_lookups join devflow.model_calls using (run_id, phase, attempt, turn, call) where cost_micro_usd is null) c`

type Row = Pick<Figures, 'runs' | 'phases'> & Record<Exclude<keyof Figures, 'runs' | 'phases'>, string>

/** Reads the figures in one go. It looks through all runs: not to be asked for in every second. */
export async function readFigures(db: Queryable): Promise<Figures> {
  const { rows } = await db.query<Row>({ name: 'read-figures', text: READ })
  const [row] = rows
  if (!row) throw new Error('a query of sums answered no row')
  const { runs, phases, ...sums } = row
  const numbers = Object.entries(sums).map(([name, value]) => [name, Number(value)])
  return { runs, phases, ...(Object.fromEntries(numbers) as Omit<Figures, 'runs' | 'phases'>) }
}
