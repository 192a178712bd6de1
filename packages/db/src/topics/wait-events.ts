import type { TopicEvent } from '@devflow/contracts'
import type { Queryable } from '../read/queryable.ts'
import { type TopicRow, topicEventOf } from './read-topic-events.ts'

/** The attempt of a phase that waits for an event. */
interface WaitPlace {
  run: string
  phase: string
  attempt: number
}

/** The next events an open wait has to look at, in order, at most 200; none when it is not open. */
export async function eventsForWait(
  db: Queryable,
  { run, phase, attempt }: WaitPlace,
): Promise<TopicEvent[]> {
  const { rows } = await db.query<TopicRow>({
    name: 'events-for-wait',
    text: 'select seq, topic, id, data, actor, at from devflow.events_for_wait($1, $2, $3, 200)',
    values: [run, phase, attempt],
  })
  return rows.map(topicEventOf)
}

/** Notes that a wait has looked at all events up to one, and none of them was for it. */
export async function lookedUpTo(
  db: Queryable,
  { run, phase, attempt }: WaitPlace,
  seq: number,
): Promise<void> {
  await db.query({
    name: 'looked-up-to',
    text: `insert into devflow.event_looks (run_id, phase, attempt, seq) values ($1, $2, $3, $4)
           on conflict (run_id, phase, attempt) do update set seq = greatest(event_looks.seq, excluded.seq)`,
    values: [run, phase, attempt, seq],
  })
}
