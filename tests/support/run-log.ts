import type pg from 'pg'

export interface LogLine {
  seq: number
  type: string
  key: string
  phase: string | null
  attempt: number | null
  turn: number | null
  data: Record<string, unknown>
  at: Date
}

/** A run as it stands: its log, and the statuses projected from it. */
export interface Standing {
  id: string
  status: string
  error: { kind: string; code: string; message: string } | null
  output: unknown
  attempt: number
  phases: Record<string, { status: string; attempt: number; error: Standing['error']; output: unknown }>
  events: LogLine[]
  types: string[]
}

/** Events of a type, in order. */
export const eventsOf = ({ events }: Standing, type: string): LogLine[] =>
  events.filter((event) => event.type === type)

/** The status of every phase on record, by its id. */
export const statusesOf = ({ phases }: Standing): Record<string, string> =>
  Object.fromEntries(Object.entries(phases).map(([id, { status }]) => [id, status]))

/** The one event of a type. */
export function eventOf(run: Standing, type: string): LogLine {
  const [event, ...more] = eventsOf(run, type)
  if (!event || more.length > 0)
    throw new Error(`expected one ${type}, found ${more.length + (event ? 1 : 0)}: ${run.types.join(' ')}`)
  return event
}

/** Reads a run with its whole log; bodies stored apart are read in. */
export async function readStanding(pool: pg.Pool, run: string): Promise<Standing> {
  const { rows } = await pool.query<{ standing: Omit<Standing, 'types'> }>(
    `select jsonb_build_object('id', r.id, 'status', r.status, 'error', r.error, 'output', r.output, 'attempt', r.attempt,
       'phases', (select jsonb_object_agg(p.id, jsonb_build_object('status', p.status, 'attempt', p.attempt, 'error', p.error, 'output', p.output))
         from devflow.phases p where p.run_id = r.id),
       'events', (select jsonb_agg(jsonb_build_object('seq', e.seq, 'type', e.type, 'key', e.key, 'phase', e.phase, 'attempt', e.attempt, 'turn', e.turn, 'at', e.at,
           'data', case when b.content is null then e.data else convert_from(b.content, 'UTF8')::jsonb end) order by e.seq)
         from devflow.run_events e left join devflow.blobs b on b.run_id = e.run_id and b.sha256 = e.data->>'$blob' where e.run_id = r.id)
     ) as standing from devflow.runs r where r.id = $1`,
    [run],
  )
  const [row] = rows
  if (!row) throw new Error(`there is no run ${run}`)
  const events = row.standing.events.map((event) => ({ ...event, at: new Date(event.at) }))
  return { ...row.standing, events, types: events.map(({ type }) => type) }
}
