import type pg from 'pg'
import { PROJECTION_TABLES, PROJECTIONS, type ProjectionTable, runColumn } from './shadow.ts'

/** Where a projection is not what the log says, or the log not what it must be. */
export interface Difference {
  runId: string
  table: string
  detail: string
}

type Row = Record<string, unknown>

interface Found {
  run_id: string
  expected: boolean
  row: Row
}

/** Compares the shadow with the projections of these runs, and their heads and logs with what they must be. */
export async function differencesOf(client: pg.ClientBase, runs: readonly string[]): Promise<Difference[]> {
  const found: Difference[] = []
  for (const table of PROJECTION_TABLES) found.push(...(await tableDifferences(client, table, runs)))
  found.push(...(await headDifferences(client, runs)))
  found.push(...(await logDifferences(client, runs)))
  return found
}

async function tableDifferences(
  client: pg.ClientBase,
  table: ProjectionTable,
  runs: readonly string[],
): Promise<Difference[]> {
  const run = runColumn(table)
  const kept = `select * from devflow.${table} where ${run} = any($1::uuid[])`
  const said = `select * from pg_temp.${table}`
  const { rows } = await client.query<Found>({
    text: `select x.${run} as run_id, true as expected, to_jsonb(x) as row from (${said} except ${kept}) x
           union all select x.${run}, false, to_jsonb(x) from (${kept} except ${said}) x`,
    values: [runs],
  })
  const byKey = Map.groupBy(rows, ({ row }) =>
    PROJECTIONS[table].map((column) => String(row[column])).join(' '),
  )
  return [...byKey].map(([key, pair]) => {
    const expected = pair.find((each) => each.expected)?.row
    const actual = pair.find((each) => !each.expected)?.row
    return { runId: pair[0]?.run_id ?? '', table, detail: `${key}: ${contrast(expected, actual)}` }
  })
}

function contrast(expected: Row | undefined, actual: Row | undefined): string {
  if (!actual) return 'is missing'
  if (!expected) return 'is not in the log'
  return Object.keys(expected)
    .filter((column) => text(expected[column]) !== text(actual[column]))
    .map((column) => `${column} is ${text(actual[column])}, the log says ${text(expected[column])}`)
    .join('; ')
}

function text(value: unknown): string {
  const whole = JSON.stringify(value) ?? 'null'
  return whole.length > 120 ? `${whole.slice(0, 120)}…` : whole
}

interface HeadRow {
  run_id: string
  detail: string
}

async function headDifferences(client: pg.ClientBase, runs: readonly string[]): Promise<Difference[]> {
  const { rows } = await client.query<HeadRow>({
    text: `select h.run_id, concat_ws('; ',
             case when h.control <> s.control then format('control is %s, the log says %s', h.control, s.control) end,
             case when h.seq <> coalesce(l.seq, 0) then format('seq is %s, the log ends at %s', h.seq, coalesce(l.seq, 0)) end,
             case when h.last_at <> l.at then format('last_at is %s, the log says %s', h.last_at, l.at) end) as detail
           from devflow.run_heads h join pg_temp.run_heads s on s.run_id = h.run_id,
           lateral (select max(x.seq) as seq, max(x.at) as at from (
             select max(seq) as seq, max(at) as at from devflow.run_events e where e.run_id = h.run_id
             union all select max(seq), max(at) from devflow.run_chunks c where c.run_id = h.run_id) x) l
           where h.run_id = any($1::uuid[]) and (h.control <> s.control or h.seq <> coalesce(l.seq, 0) or h.last_at <> l.at)`,
    values: [runs],
  })
  return rows.map(({ run_id, detail }) => ({ runId: run_id, table: 'run_heads', detail }))
}

/** Gaps are allowed where chunks were pruned: in what a run that is over, or was before a retry, has no chunks of. */
async function logDifferences(client: pg.ClientBase, runs: readonly string[]): Promise<Difference[]> {
  const { rows } = await client.query<{ run_id: string; detail: string }>({
    text: `with line as (
             select run_id, seq, false as is_chunk from devflow.run_events where run_id = any($1::uuid[])
             union all select run_id, seq, true from devflow.run_chunks where run_id = any($1::uuid[])
           ), retried as (
             select run_id, max(seq) as seq from devflow.run_events where run_id = any($1::uuid[]) and type = 'run.retried' group by run_id
           ), pruned as (
             select h.run_id, case
               when h.control = 'over' and not exists (select 1 from devflow.run_chunks c where c.run_id = h.run_id) then h.seq
               when r.seq is not null and not exists (select 1 from devflow.run_chunks c where c.run_id = h.run_id and c.seq < r.seq) then r.seq
               else 0 end as up_to
             from devflow.run_heads h left join retried r on r.run_id = h.run_id where h.run_id = any($1::uuid[])
           ), counted as (
             select l.run_id, count(*) filter (where l.seq > p.up_to) as rows, max(l.seq) - least(max(l.seq), p.up_to) as span,
               count(*) - count(distinct l.seq) as twins
             from line l join pruned p on p.run_id = l.run_id group by l.run_id, p.up_to
           )
           select run_id, format('seq has gaps: %s rows where %s are due', rows, span) as detail from counted where rows <> span
           union all select run_id, format('%s seqs stand twice', twins) from counted where twins > 0
           union all select run_id, format('key %s stands %s times', key, count(*)) from devflow.run_events
             where run_id = any($1::uuid[]) group by run_id, key having count(*) > 1`,
    values: [runs],
  })
  return rows.map(({ run_id, detail }) => ({ runId: run_id, table: 'run_events', detail }))
}
