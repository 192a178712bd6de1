import type { Queryable } from './queryable.ts'

/** Where a run belongs in traces. */
export interface RunTrace {
  /** Of the request that submitted it. */
  traceparent: string
  template: string
  /** Which round this is: a retried run is in its second. */
  round: number
  startedAt: Date
}

/** Where a run belongs in traces; undefined when it was submitted with tracing off, or is gone. */
export async function readTrace(db: Queryable, run: string): Promise<RunTrace | undefined> {
  const { rows } = await db.query<RunTrace>({
    name: 'read-trace',
    text: `select s.data->>'traceparent' as traceparent, r.template, r.attempt as round, coalesce(b.at, r.created_at) as "startedAt"
           from devflow.runs r join devflow.run_events s on s.run_id = r.id and s.key = 'run/submitted'
             left join devflow.run_events b on b.run_id = r.id and b.key = 'round/' || r.attempt || '/started'
           where r.id = $1 and s.data ? 'traceparent'`,
    values: [run],
  })
  return rows[0]
}
