import type { RunStatus } from '@devflow/contracts'
import { type LineRow, type LogPage, lineOf } from './log-line.ts'
import type { Numeric, Queryable } from './queryable.ts'

export type { LogPage } from './log-line.ts'

export interface LogQuery {
  /** Rows after this seq. */
  after: number
  limit: number
  /** Only rows of these types; chunks have the types `chunk` and `chunk.reset`. */
  types?: readonly string[]
  /** Chunks too, merged by seq. */
  chunks?: boolean
}

/** How far one read looks for rows of the wanted types, so that a rare type costs no scan of the whole log. */
const WIDEST_LOOK = 20_000

/** Bodies stored apart that one page takes in, in bytes; the first row comes whatever its size. */
const MOST_BODY_BYTES = 8 * 1024 * 1024

/** Rows with a seq in ($2, $3], at most $4, from each table by its primary key. */
const EVENTS = `select seq, type, at, phase, attempt, turn, key, data, null::int as delivery, null::text as kind, null::text as text
  from devflow.run_events where run_id = $1 and seq > $2 and seq <= $3 and ($5::text[] is null or type = any($5)) order by seq limit $4`
const CHUNKS = `select seq, case kind when 'reset' then 'chunk.reset' else 'chunk' end as type, at, phase, attempt, turn, key, null::jsonb as data, delivery, kind, text
  from devflow.run_chunks where run_id = $1 and seq > $2 and seq <= $3
    and ($5::text[] is null or case kind when 'reset' then 'chunk.reset' else 'chunk' end = any($5)) order by seq limit $4`

const READ = (chunks: boolean) => `
with page as materialized (
  ${chunks ? `select * from ((${EVENTS}) union all (${CHUNKS})) x order by seq limit $4` : EVENTS}
), bodies as (
  select p.*, b.content, octet_length(b.content) as bytes, coalesce(sum(octet_length(b.content)) over (order by p.seq), 0) as total
  from page p left join devflow.blobs b on b.run_id = $1 and b.sha256 = p.data->>'$blob'
)
select h.seq as last_seq, h.control = 'over' as over, r.status, (select count(*)::int from page) as found, p.seq, p.type, p.at, p.phase, p.attempt, p.turn, p.key,
  case when p.content is null then p.data else convert_from(p.content, 'UTF8')::jsonb end as data, p.delivery, p.kind, p.text
from devflow.run_heads h join devflow.runs r on r.id = h.run_id
left join bodies p on p.total <= ${MOST_BODY_BYTES} or p.total = p.bytes
where h.run_id = $1 order by p.seq`

interface HeadRow {
  last_seq: Numeric
  over: boolean
  status: RunStatus
  /** Rows found before the bound on bodies cut the page. */
  found: number
}

/** A page of a run's log in order of seq; undefined when there is no such run. Bodies stored apart are read in. */
export async function readLog(db: Queryable, run: string, query: LogQuery): Promise<LogPage | undefined> {
  const { after, limit, types, chunks = false } = query
  const upTo = types ? after + WIDEST_LOOK : Number.MAX_SAFE_INTEGER
  const { rows } = await db.query<HeadRow & (LineRow | { seq: null })>({
    name: chunks ? 'read-log-chunks' : 'read-log',
    text: READ(chunks),
    values: [run, after, upTo, limit, types ?? null],
  })
  const [head] = rows
  if (!head) return undefined
  const items = rows.flatMap((row) => (row.seq === null ? [] : [lineOf(run, row)]))
  const lastSeq = Number(head.last_seq)
  const isCut = head.found >= limit || items.length < head.found
  const nextAfter = Math.max(after, (isCut ? items.at(-1)?.seq : undefined) ?? Math.min(upTo, lastSeq))
  return { items, nextAfter, status: head.status, lastSeq, done: head.over && nextAfter >= lastSeq }
}
