import { z } from 'zod'
import { keyOfCursor, type Page, pageOf } from './cursor.ts'
import { isoTime, type Numeric, present, type Queryable } from './queryable.ts'

/** One call of a tool, as it was allowed or denied, and what came of it. */
export interface AuditItem {
  seq: number
  tool: string
  args: unknown
  decision: 'allowed' | 'denied'
  phase?: string
  attempt?: number
  turn?: number
  exitCode?: number
  bytes?: number
  at: string
}

interface Row {
  seq: Numeric
  phase: string | null
  attempt: number | null
  turn: number | null
  at: Date
  data: { name?: string; args?: unknown }
  outcome: string | null
  done: { exitCode?: number; bytes?: number } | null
}

const body = (alias: string) =>
  `case when ${alias}.data ? '$blob' then (select convert_from(b.content, 'UTF8')::jsonb from devflow.blobs b
     where b.run_id = ${alias}.run_id and b.sha256 = ${alias}.data->>'$blob') else ${alias}.data end`

/**
 * The tool calls of a run, in order: what was asked, and what came of it, which stands under the same key but for its
 * last part. Throws DevflowError INVALID `bad_cursor`.
 */
export async function readAudit(
  db: Queryable,
  run: string,
  { cursor, limit }: { cursor?: string; limit: number },
): Promise<Page<AuditItem>> {
  const [after] = cursor === undefined ? [0] : keyOfCursor(cursor, z.tuple([z.int().nonnegative()]))
  const { rows } = await db.query<Row>({
    name: 'read-audit',
    text: `select e.seq, e.phase, e.attempt, e.turn, e.at, ${body('e')} as data, c.type as outcome, ${body('c')} as done
           from devflow.run_events e
           left join devflow.run_events c on c.run_id = e.run_id and c.key = regexp_replace(e.key, '[^/]*$', 'completed')
           where e.run_id = $1 and e.seq > $2 and e.type = 'tool.called' order by e.seq limit $3`,
    values: [run, after, limit + 1],
  })
  return pageOf(rows, limit, itemOf, (row) => [Number(row.seq)])
}

function itemOf(row: Row): AuditItem {
  return present<AuditItem>({
    seq: Number(row.seq),
    tool: row.data.name ?? '',
    args: row.data.args ?? {},
    decision: row.outcome === 'tool.denied' ? 'denied' : 'allowed',
    phase: row.phase ?? undefined,
    attempt: row.attempt ?? undefined,
    turn: row.turn ?? undefined,
    exitCode: row.done?.exitCode,
    bytes: row.done?.bytes,
    at: isoTime(row.at),
  })
}
