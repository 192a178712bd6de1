import type { Delivery } from '@devflow/contracts'
import { z } from 'zod'
import { keyOfCursor, type Page, pageOf } from '../read/cursor.ts'
import { isoTime, isoTimeIfAny, type Numeric, present, type Queryable } from '../read/queryable.ts'

interface Row {
  id: Numeric
  run_id: string
  seq: Numeric
  type: string
  status: Delivery['status']
  attempts: number
  due_at: Date
  answered: number | null
  error: string | null
  created_at: Date
  ended_at: Date | null
}

/** The `webhook-id` of a delivery's messages. */
export const messageId = (id: Numeric): string => `msg_${id}`

const deliveryOf = (row: Row): Delivery =>
  present({
    id: messageId(row.id),
    runId: row.run_id,
    seq: Number(row.seq),
    type: row.type,
    status: row.status,
    attempts: row.attempts,
    nextAt: row.status === 'pending' ? isoTime(row.due_at) : undefined,
    answered: row.answered ?? undefined,
    error: row.error ?? undefined,
    createdAt: isoTime(row.created_at),
    endedAt: isoTimeIfAny(row.ended_at),
  })

/** Deliveries of a webhook, newest first. */
export async function listDeliveries(
  db: Queryable,
  { tenant, webhook, status }: { tenant: string; webhook: string; status?: Delivery['status'] | undefined },
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<Page<Delivery>> {
  const [before] =
    cursor === undefined ? [undefined] : keyOfCursor(cursor, z.tuple([z.string().regex(/^\d{1,18}$/)]))
  const { rows } = await db.query<Row>({
    text: `select id, run_id, seq, type, status, attempts, due_at, answered, error, created_at, ended_at from devflow.webhook_deliveries
           where tenant = $1 and webhook = $2 and ($3::text is null or status = $3) and ($4::bigint is null or id < $4) order by id desc limit $5`,
    values: [tenant, webhook, status ?? null, before ?? null, limit + 1],
  })
  return pageOf(rows, limit, deliveryOf, ({ id }) => [id])
}

/** Has deliveries that were given up tried anew: one, by its message's id, or all. Answers how many. */
export async function replayDeliveries(
  db: Queryable,
  { tenant, webhook, message }: { tenant: string; webhook: string; message?: string | undefined },
): Promise<number> {
  const { rowCount } = await db.query({
    text: `update devflow.webhook_deliveries set status = 'pending', attempts = 0, due_at = clock_timestamp(), ended_at = null
           where tenant = $1 and webhook = $2 and status = 'dead' and ($3::text is null or 'msg_' || id = $3)`,
    values: [tenant, webhook, message ?? null],
  })
  return rowCount ?? 0
}
