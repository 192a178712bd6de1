import type { TopicEvent } from '@devflow/contracts'
import { isoTime, type Numeric, type Queryable } from '../read/queryable.ts'

export interface TopicQuery {
  /** Events of topics that match one of these. */
  patterns: readonly string[]
  /** Events after this seq; undefined: from now on. */
  after: number | undefined
  limit: number
}

export interface TopicRow {
  seq: Numeric
  topic: string
  id: string
  data: TopicEvent['data']
  actor: string
  at: Date
}

export const topicEventOf = ({ seq, topic, id, data, actor, at }: TopicRow): TopicEvent => ({
  seq: Number(seq),
  topic,
  id,
  data,
  actor,
  at: isoTime(at),
})

/** How far one read looks for events of the wanted topics, so that a rare topic costs no scan of them all. */
const WIDEST_LOOK = 10_000

export interface TopicEvents {
  items: TopicEvent[]
  /** Where to go on: past the events found and past those of other topics. */
  nextAfter: number
  /** There may be more at once. */
  more: boolean
}

interface Row extends Omit<TopicRow, 'seq'> {
  last: Numeric
  more: boolean
  seq: Numeric | null
}

/** Events of some topics, in their order. */
export async function readTopicEvents(
  db: Queryable,
  tenant: string,
  { patterns, after, limit }: TopicQuery,
): Promise<TopicEvents> {
  const { rows } = await db.query<Row>({
    name: 'read-topic-events',
    text: `with place as (
             select coalesce($2::bigint, (select max(seq) from devflow.topic_events where tenant = $1), 0) as after
           ), look as materialized (
             select e.*, exists (select 1 from unnest($3::text[]) p where devflow.topic_matches(e.topic, p)) as is_wanted
             from devflow.topic_events e where e.tenant = $1 and e.seq > (select after from place) order by e.seq limit ${WIDEST_LOOK}
           ), found as (
             select * from look where is_wanted order by seq limit $4
           )
           select (select count(*) from found) = $4 or (select count(*) from look) = ${WIDEST_LOOK} as more,
             case when (select count(*) from found) = $4 then (select max(seq) from found)
               else coalesce((select max(seq) from look), (select after from place)) end as last,
             f.seq, f.topic, f.id, f.data, f.actor, f.at
           from (select 1) one left join found f on true order by f.seq`,
    values: [tenant, after ?? null, patterns, limit],
  })
  const items = rows.filter((row): row is Row & { seq: Numeric } => row.seq !== null).map(topicEventOf)
  return { items, nextAfter: Number(rows[0]?.last ?? after ?? 0), more: rows[0]?.more ?? false }
}
