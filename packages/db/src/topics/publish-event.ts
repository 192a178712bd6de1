import type { TopicEvent } from '@devflow/contracts'
import type { Numeric, Queryable } from '../read/queryable.ts'

export interface Published {
  seq: number
  /** An event of that topic and id was there before. */
  duplicate: boolean
}

interface Row {
  event_seq: Numeric
  is_new: boolean
}

/** Publishes an event: kept once, with the wakes of the runs that wait for it and the runs that triggers ask for (I10). */
export async function publishEvent(
  db: Queryable,
  tenant: string,
  { topic, id, data, actor }: Pick<TopicEvent, 'topic' | 'id' | 'data' | 'actor'>,
): Promise<Published> {
  const { rows } = await db.query<Row>({
    name: 'publish-event',
    text: 'select event_seq, is_new from devflow.publish($1, $2, $3, $4::jsonb, $5)',
    values: [tenant, topic, id, JSON.stringify(data), actor],
  })
  const [row] = rows
  if (!row) throw new Error('publishing answered nothing')
  return { seq: Number(row.event_seq), duplicate: !row.is_new }
}
