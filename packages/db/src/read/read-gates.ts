import type { Gate, GateStatus } from '@devflow/contracts'
import { z } from 'zod'
import { CursorText, keyOfCursor, type Page, pageOf } from './cursor.ts'
import { isoTime, isoTimeIfAny, present, type Queryable } from './queryable.ts'
import { conditionsOf, type RunFilter } from './run-filter.ts'

interface GateRow {
  run_id: string
  id: string
  phase: string
  status: GateStatus
  title: string
  subject: Gate['subject']
  subject_hash: string
  quorum: number
  on_deadline: Record<string, unknown> | null
  escalated_at: Date | null
  deadline: Date | null
  opened_at: Date
  opened_text: string
  closed_at: Date | null
  decisions: Gate['decisions']
  goes_back: { changes?: { for: string }; maxRounds: number } | null
  rounds: number
  remind_at: Date | null
  delegations: NonNullable<Gate['delegations']>
}

/** `opened_text`: the cursor needs the microseconds that a JavaScript date drops. */
const GATE_VIEW = `
  g.run_id, g.id, g.phase, g.status, g.title, g.subject, g.subject_hash, g.quorum, g.on_deadline, g.escalated_at, g.deadline,
  g.opened_at, g.opened_at::text as opened_text, g.closed_at,
  (select coalesce(jsonb_agg(jsonb_build_object('actor', d.principal, 'decision', d.decision, 'comment', d.comment, 'at', d.at) order by d.at, d.principal), '[]')
    from devflow.gate_decisions d where d.run_id = g.run_id and d.gate = g.id and d.attempt = g.attempt) as decisions,
  g.goes_back, g.rounds, g.remind_at,
  (select coalesce(jsonb_agg(jsonb_build_object('from', d.principal, 'to', d.delegate, 'comment', d.comment, 'at', d.at) order by d.at, d.principal), '[]')
    from devflow.gate_delegations d where d.run_id = g.run_id and d.gate = g.id and d.attempt = g.attempt) as delegations`

/** One gate; undefined when the run has none of that id. */
export async function readGate(db: Queryable, run: string, gate: string): Promise<Gate | undefined> {
  const { rows } = await db.query<GateRow>({
    name: 'read-gate',
    text: `select ${GATE_VIEW} from devflow.gates g where g.run_id = $1 and g.id = $2`,
    values: [run, gate],
  })
  return rows[0] && gateOf(rows[0])
}

/** The decisions at one opening of a gate, in order. */
export async function readDecisions(
  db: Queryable,
  run: string,
  gate: string,
  attempt: number,
): Promise<Omit<Gate['decisions'][number], 'at'>[]> {
  const { rows } = await db.query<Omit<Gate['decisions'][number], 'at'>>({
    name: 'read-decisions',
    text: `select principal as actor, decision, comment from devflow.gate_decisions
           where run_id = $1 and gate = $2 and attempt = $3 order by at, principal`,
    values: [run, gate, attempt],
  })
  return rows
}

export interface GateListFilter extends RunFilter {
  run?: string
  status?: readonly GateStatus[]
  /** Only gates of these runs. */
  runs?: readonly string[]
}

/** Gates, those open longest first. Throws DevflowError INVALID `bad_cursor`. */
export async function listGates(
  db: Queryable,
  filter: GateListFilter,
  { cursor, limit }: { cursor?: string; limit: number },
): Promise<Page<Gate>> {
  const values: unknown[] = []
  const parameter = (value: unknown) => `$${values.push(value)}`
  const conditions = [`g.tenant = ${parameter(filter.tenant)}`, ...conditionsOf(filter, values)]
  if (filter.run !== undefined) conditions.push(`g.run_id = ${parameter(filter.run)}`)
  if (filter.runs !== undefined) conditions.push(`g.run_id = any(${parameter(filter.runs)}::uuid[])`)
  if (filter.status) conditions.push(`g.status = any(${parameter(filter.status)}::text[])`)
  if (cursor !== undefined) {
    const [opened, run, id] = keyOfCursor(cursor, z.tuple([OpenedAt, z.uuid(), CursorText]))
    conditions.push(
      `(g.opened_at, g.run_id, g.id) > (${parameter(opened)}::timestamptz, ${parameter(run)}::uuid, ${parameter(id)}::text)`,
    )
  }
  const { rows } = await db.query<GateRow>({
    text: `select ${GATE_VIEW} from devflow.gates g join devflow.runs r on r.id = g.run_id
           where ${conditions.join(' and ')} order by g.opened_at, g.run_id, g.id limit ${parameter(limit + 1)}`,
    values,
  })
  return pageOf(rows, limit, gateOf, (row) => [row.opened_text, row.run_id, row.id])
}

const OpenedAt = z.string().regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?[+-]\d\d(:\d\d)?$/)

function gateOf(row: GateRow): Gate {
  return present<Gate>({
    runId: row.run_id,
    id: row.id,
    phase: row.phase,
    status: row.status,
    title: row.title,
    subject: row.subject,
    subjectHash: row.subject_hash,
    quorum: row.quorum,
    decisions: row.decisions.map((decision) => ({ ...decision, at: isoTime(decision.at) })),
    deadline: isoTimeIfAny(row.deadline),
    escalation: escalationOf(row),
    allowChanges: row.goes_back?.changes?.for,
    round: row.goes_back ? row.rounds : undefined,
    maxRounds: row.goes_back?.maxRounds,
    delegations:
      row.delegations.length > 0
        ? row.delegations.map((delegation) => ({ ...delegation, at: isoTime(delegation.at) }))
        : undefined,
    remindsAt: row.status === 'open' ? isoTimeIfAny(row.remind_at) : undefined,
    openedAt: isoTime(row.opened_at),
    closedAt: isoTimeIfAny(row.closed_at),
  })
}

/** What happens at the deadline, and since when it has: `{escalateTo?, after?, then, escalatedAt?}`. */
function escalationOf({ on_deadline, escalated_at }: GateRow): Gate['escalation'] {
  if (!on_deadline) return undefined
  return z.json().parse(present({ ...on_deadline, escalatedAt: isoTimeIfAny(escalated_at) }))
}
