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
  type: string
  phase: string | null
  attempt: number | null
  turn: number | null
  at: Date
  data: { tool?: string; args?: unknown }
  done: { exitCode?: number; bytes?: number } | null
}

const body = (alias: string) =>
  `case when ${alias}.data ? '$blob' then (select convert_from(b.content, 'UTF8')::jsonb from devflow.blobs b
     where b.run_id = ${alias}.run_id and b.sha256 = ${alias}.data->>'$blob') else ${alias}.data end`

/**
 * The tool calls of a run, in order. A call and its completion share their key up to the last `/`.
 * Throws DevflowError INVALID `bad_cursor`.
 */
export async function readAudit(
  db: Queryable,
  run: string,
  { cursor, limit }: { cursor?: string; limit: number },
): Promise<Page<AuditItem>> {
  const [after] = cursor === undefined ? [0] : keyOfCursor(cursor, z.tuple([z.int().nonnegative()]))
  const { rows } = await db.query<Row>({
    name: 'read-audit',
    text: `select e.seq, e.type, e.phase, e.attempt, e.turn, e.at, ${body('e')} as data,
             (select ${body('c')} from devflow.run_events c where c.run_id = e.run_id and c.type = 'tool.completed'
                and c.key = regexp_replace(e.key, '/[^/]*$', '/completed')) as done
           from devflow.run_events e
           where e.run_id = $1 and e.seq > $2 and e.type in ('tool.called', 'tool.denied') order by e.seq limit $3`,
    values: [run, after, limit + 1],
  })
  return pageOf(rows, limit, itemOf, (row) => [Number(row.seq)])
}

function itemOf(row: Row): AuditItem {
  return present<AuditItem>({
    seq: Number(row.seq),
    tool: row.data.tool ?? '',
    args: row.data.args ?? {},
    decision: row.type === 'tool.denied' ? 'denied' : 'allowed',
    phase: row.phase ?? undefined,
    attempt: row.attempt ?? undefined,
    turn: row.turn ?? undefined,
    exitCode: row.done?.exitCode,
    bytes: row.done?.bytes,
    at: isoTime(row.at),
  })
}
