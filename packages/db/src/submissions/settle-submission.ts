import {
  type ErrorRecord,
  LONGEST_CATCH_UP_MS,
  type Overlap,
  type SubmitTemplate,
  type TopicEvent,
} from '@devflow/contracts'
import type { Numeric, Queryable } from '../read/queryable.ts'

/** An occasion to submit a run that is due: an event for a trigger, or a time of a schedule. */
export interface DueSubmission {
  id: Numeric
  tenant: string
  source: string
  submit: SubmitTemplate
  match: string | null
  event: TopicEvent | null
  /** Of a schedule's occasion. */
  at: Date | null
  overlap: Overlap | null
  is_manual: boolean
  attempts: number
}

/**
 * Takes the submission that is due longest; undefined when none is. It is due again after a while that grows, so one whose
 * process dies is taken by another; whoever settles it first has it.
 */
export async function claimSubmission(db: Queryable): Promise<DueSubmission | undefined> {
  const { rows } = await db.query<DueSubmission>({
    name: 'claim-submission',
    text: `update devflow.submissions s set attempts = s.attempts + 1,
             due_at = clock_timestamp() + make_interval(secs => least(600, 10 * 2 ^ least(s.attempts, 10)))
           where s.id = (select id from devflow.submissions where status = 'waiting' and due_at <= clock_timestamp() order by due_at, id limit 1 for update skip locked)
           returning s.id, s.tenant, s.source, s.submit, s.match, s.event, s.at, s.overlap, s.is_manual, s.attempts`,
  })
  return rows[0]
}

/** Settles a submission once: false when another has. In the transaction that makes its run, if it makes one. */
export async function settleSubmission(
  db: Queryable,
  id: Numeric,
  { status, run, reason }: { status: 'submitted' | 'skipped'; run?: string; reason?: string },
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'settle-submission',
    text: `update devflow.submissions set status = $2, run_id = $3, reason = $4, settled_at = clock_timestamp() where id = $1 and status = 'waiting'`,
    values: [id, status, run ?? null, reason ?? null],
  })
  return rowCount === 1
}

/** Notes that a submission cannot be made, and why. */
export async function failSubmission(db: Queryable, id: Numeric, error: ErrorRecord): Promise<void> {
  await db.query({
    name: 'fail-submission',
    text: `update devflow.submissions set status = 'failed', error = $2::jsonb, settled_at = clock_timestamp() where id = $1 and status = 'waiting'`,
    values: [id, JSON.stringify(error)],
  })
}

/** Forgets events that are older than `before`, and occasions settled before it: those of schedules not while they may be caught up. */
export async function pruneSubmissions(db: Queryable, before: Date): Promise<void> {
  const caughtUp = new Date(Date.now() - LONGEST_CATCH_UP_MS - 86_400_000)
  await db.query({
    text: 'delete from devflow.submissions where settled_at < $1 and (at is null or at < $2)',
    values: [before, caughtUp],
  })
  await db.query({ text: 'delete from devflow.topic_events where at < $1', values: [before] })
}
