import type { PutWebhook, Webhook } from '@devflow/contracts'
import { z } from 'zod'
import { CursorText, keyOfCursor, type Page, pageOf } from '../read/cursor.ts'
import { isoTime, type Numeric, present, type Queryable } from '../read/queryable.ts'

interface Row {
  id: string
  url: string
  events: string[]
  template: string | null
  labels: Record<string, string>
  is_enabled: boolean
  off_because: string | null
  actor: string
  updated_at: Date
  pending: Numeric
  dead: Numeric
}

const SELECT = `select w.id, w.url, w.events, w.template, w.labels, w.is_enabled, w.off_because, w.actor, w.updated_at, d.pending, d.dead
  from devflow.webhooks w, lateral (
    select count(*) filter (where status = 'pending') as pending, count(*) filter (where status = 'dead') as dead
    from devflow.webhook_deliveries x where x.tenant = w.tenant and x.webhook = w.id and x.status <> 'delivered'
  ) d`

const webhookOf = (row: Row): Webhook =>
  present({
    id: row.id,
    url: row.url,
    events: row.events,
    template: row.template ?? undefined,
    labels: row.labels,
    enabled: row.is_enabled,
    offBecause: row.off_because ?? undefined,
    actor: row.actor,
    updatedAt: isoTime(row.updated_at),
    pending: Number(row.pending),
    dead: Number(row.dead),
  })

/** Makes a webhook, with this secret, or changes it and keeps the secret it has. Answers whether it was made. */
export async function putWebhook(
  db: Queryable,
  { tenant, id, actor, secret }: { tenant: string; id: string; actor: string; secret: string },
  { url, events, template, labels = {}, enabled = true }: PutWebhook,
): Promise<boolean> {
  const { rows } = await db.query<{ made: boolean }>({
    text: `insert into devflow.webhooks (tenant, id, url, events, template, labels, is_enabled, secret, actor, updated_at)
           values ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9, clock_timestamp())
           on conflict (tenant, id) do update set url = excluded.url, events = excluded.events, template = excluded.template, labels = excluded.labels,
             is_enabled = excluded.is_enabled, off_because = null, actor = excluded.actor, updated_at = excluded.updated_at
           returning secret = $8 as made`,
    values: [tenant, id, url, events, template ?? null, JSON.stringify(labels), enabled, secret, actor],
  })
  return rows[0]?.made ?? false
}

export async function readWebhook(db: Queryable, tenant: string, id: string): Promise<Webhook | undefined> {
  const { rows } = await db.query<Row>({
    text: `${SELECT} where w.tenant = $1 and w.id = $2`,
    values: [tenant, id],
  })
  return rows[0] && webhookOf(rows[0])
}

/** Webhooks by id. */
export async function listWebhooks(
  db: Queryable,
  tenant: string,
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<Page<Webhook>> {
  const [after] = cursor === undefined ? [''] : keyOfCursor(cursor, z.tuple([CursorText]))
  const { rows } = await db.query<Row>({
    text: `${SELECT} where w.tenant = $1 and w.id > $2 order by w.id limit $3`,
    values: [tenant, after, limit + 1],
  })
  return pageOf(rows, limit, webhookOf, ({ id }) => [id])
}

/** Deletes a webhook with all it had to deliver; false when there was none. */
export async function deleteWebhook(db: Queryable, tenant: string, id: string): Promise<boolean> {
  const { rowCount } = await db.query({
    text: `with gone as (delete from devflow.webhook_deliveries where tenant = $1 and webhook = $2)
           delete from devflow.webhooks where tenant = $1 and id = $2`,
    values: [tenant, id],
  })
  return rowCount === 1
}

/** Gives a webhook a new secret; the one before signs as well for a day. Answers until when; undefined when there is none. */
export async function renewSecret(
  db: Queryable,
  { tenant, id, secret }: { tenant: string; id: string; secret: string },
): Promise<string | undefined> {
  const { rows } = await db.query<{ until: Date }>({
    text: `update devflow.webhooks set old_secret = secret, old_secret_until = clock_timestamp() + interval '1 day', secret = $3
           where tenant = $1 and id = $2 returning old_secret_until as until`,
    values: [tenant, id, secret],
  })
  return rows[0] && isoTime(rows[0].until)
}

/** The secret a webhook signs with; undefined when there is none of that id. */
export async function keptSecret(db: Queryable, tenant: string, id: string): Promise<string | undefined> {
  const { rows } = await db.query<{ secret: string }>({
    text: 'select secret from devflow.webhooks where tenant = $1 and id = $2',
    values: [tenant, id],
  })
  return rows[0]?.secret
}

/** Switches a webhook off, and says why. */
export async function switchOffWebhook(
  db: Queryable,
  tenant: string,
  id: string,
  because: string,
): Promise<void> {
  await db.query({
    text: 'update devflow.webhooks set is_enabled = false, off_because = $3 where tenant = $1 and id = $2',
    values: [tenant, id, because],
  })
}
