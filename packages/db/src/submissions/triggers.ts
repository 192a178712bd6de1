import type { ErrorRecord, PutTrigger, Submission, SubmitTemplate, Trigger } from '@devflow/contracts'
import { z } from 'zod'
import { CursorText, keyOfCursor, type Page, pageOf } from '../read/cursor.ts'
import { isoTime, present, type Queryable } from '../read/queryable.ts'

interface Row {
  id: string
  pattern: string
  match: string | null
  submit: SubmitTemplate
  is_enabled: boolean
  actor: string
  updated_at: Date
  status: Submission['status'] | null
  run_id: string | null
  error: ErrorRecord | null
  occasion_at: Date | null
}

const SELECT = `select t.id, t.pattern, t.match, t.submit, t.is_enabled, t.actor, t.updated_at, l.status, l.run_id, l.error, l.created_at as occasion_at
  from devflow.triggers t left join lateral (
    select s.status, s.run_id, s.error, s.created_at from devflow.submissions s
    where s.tenant = t.tenant and s.source = 'trigger/' || t.id and s.status <> 'skipped' order by s.id desc limit 1
  ) l on true`

function triggerOf(row: Row): Trigger {
  const last =
    row.status === null || row.occasion_at === null
      ? undefined
      : present({
          status: row.status,
          runId: row.run_id ?? undefined,
          error: row.error ?? undefined,
          at: isoTime(row.occasion_at),
        })
  return present({
    id: row.id,
    topic: row.pattern,
    match: row.match ?? undefined,
    submit: row.submit,
    enabled: row.is_enabled,
    actor: row.actor,
    updatedAt: isoTime(row.updated_at),
    last,
  })
}

/** Makes a trigger or replaces it; events that came before are not for it. */
export async function putTrigger(
  db: Queryable,
  tenant: string,
  id: string,
  { topic, match, submit, enabled = true }: PutTrigger,
  actor: string,
): Promise<void> {
  await db.query({
    text: `insert into devflow.triggers (tenant, id, pattern, match, submit, is_enabled, actor, updated_at)
           values ($1, $2, $3, $4, $5::jsonb, $6, $7, clock_timestamp())
           on conflict (tenant, id) do update set pattern = excluded.pattern, match = excluded.match, submit = excluded.submit,
             is_enabled = excluded.is_enabled, actor = excluded.actor, updated_at = excluded.updated_at`,
    values: [tenant, id, topic, match ?? null, JSON.stringify(submit), enabled, actor],
  })
}

export async function readTrigger(db: Queryable, tenant: string, id: string): Promise<Trigger | undefined> {
  const { rows } = await db.query<Row>({
    text: `${SELECT} where t.tenant = $1 and t.id = $2`,
    values: [tenant, id],
  })
  return rows[0] && triggerOf(rows[0])
}

/** Triggers by id. */
export async function listTriggers(
  db: Queryable,
  tenant: string,
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<Page<Trigger>> {
  const [after] = cursor === undefined ? [''] : keyOfCursor(cursor, z.tuple([CursorText]))
  const { rows } = await db.query<Row>({
    text: `${SELECT} where t.tenant = $1 and t.id > $2 order by t.id limit $3`,
    values: [tenant, after, limit + 1],
  })
  return pageOf(rows, limit, triggerOf, ({ id }) => [id])
}

/** Deletes a trigger; false when there was none. What it asked for already is still submitted. */
export async function deleteTrigger(db: Queryable, tenant: string, id: string): Promise<boolean> {
  const { rowCount } = await db.query({
    text: 'delete from devflow.triggers where tenant = $1 and id = $2',
    values: [tenant, id],
  })
  return rowCount === 1
}
