import { type LineRow, type LogPage, lineOf } from './log-line.ts'
import type { Numeric, Queryable } from './queryable.ts'
import { readLog } from './read-log.ts'

/** What a reader has of a run, and whether it wants chunks too. */
export interface Tail {
  run: string
  after: number
  chunks: boolean
}

/** Rows that one read answers, over all runs, and at least of each. */
const MOST_ROWS = 2_000
const LEAST_ROWS = 20

/** Each run's rows by the primary keys, from each table at most $4. */
const READ = `
select w.o, h.seq as last_seq, h.control = 'over' as over, r.status, t.*
from unnest($1::uuid[], $2::bigint[], $3::boolean[]) with ordinality w(run, after, chunks, o)
join devflow.run_heads h on h.run_id = w.run join devflow.runs r on r.id = w.run
left join lateral (
  select * from (
    (select e.seq, e.type, e.at, e.phase, e.attempt, e.turn, e.key, e.data, null::int as delivery, null::text as kind, null::text as text
      from devflow.run_events e where e.run_id = w.run and e.seq > w.after order by e.seq limit $4)
    union all
    (select c.seq, case c.kind when 'reset' then 'chunk.reset' else 'chunk' end, c.at, c.phase, c.attempt, c.turn, c.key, null, c.delivery, c.kind, c.text
      from devflow.run_chunks c where w.chunks and c.run_id = w.run and c.seq > w.after order by c.seq limit $4)
  ) x order by x.seq limit $4
) t on true
order by w.o, t.seq`

type TailRow = { o: Numeric; last_seq: Numeric; over: boolean; status: LogPage['status'] } & (
  | LineRow
  | { seq: null }
)

/**
 * What came after each reader's place, many runs in one round trip: a page as `readLog` gives it, in the order of
 * `tails`; undefined where there is no such run.
 */
export async function readTails(db: Queryable, tails: readonly Tail[]): Promise<(LogPage | undefined)[]> {
  const limit = Math.max(LEAST_ROWS, Math.floor(MOST_ROWS / tails.length))
  const { rows } = await db.query<TailRow>({
    name: 'read-tails',
    text: READ,
    values: [
      tails.map(({ run }) => run),
      tails.map(({ after }) => after),
      tails.map(({ chunks }) => chunks),
      limit,
    ],
  })
  const byTail = Map.groupBy(rows, ({ o }) => Number(o) - 1)
  return await Promise.all(tails.map((tail, index) => pageOf(db, tail, byTail.get(index), limit)))
}

async function pageOf(
  db: Queryable,
  { run, after, chunks }: Tail,
  rows: TailRow[] | undefined,
  limit: number,
): Promise<LogPage | undefined> {
  const [head] = rows ?? []
  if (!rows || !head) return undefined
  // Bodies stored apart are rare and may be large: who has one is read alone.
  if (rows.some((row) => row.seq !== null && row.data && '$blob' in row.data))
    return await readLog(db, run, { after, limit, chunks })
  const items = rows.flatMap((row) => (row.seq === null ? [] : [lineOf(run, row)]))
  const lastSeq = Number(head.last_seq)
  const nextAfter = Math.max(after, (items.length >= limit ? items.at(-1)?.seq : undefined) ?? lastSeq)
  return { items, nextAfter, status: head.status, lastSeq, done: head.over && nextAfter >= lastSeq }
}
