import type { Budget, Definition, ErrorRecord, PhaseStatus, RunStatus, Workspace } from '@devflow/contracts'
import type pg from 'pg'
import { together } from './open-pool.ts'
import type { Queryable } from './read/queryable.ts'

export interface PhaseProgress {
  id: string
  kind: string
  status: PhaseStatus
  attempt: number
  /** The attempt at which counting for the phase's own `retry` began. */
  roundAttempt: number
  /** Ms from the database's now until the phase's deadline or next attempt; negative when it has passed. */
  deadlineInMs: number | undefined
  retryInMs: number | undefined
  startedAt: Date | undefined
  error: ErrorRecord | undefined
  output: unknown
  /** Where it stands in its run; one number at the top (see `Position` in the definition package). */
  position: number[]
  /** Of a phase that holds others: the attempt its insides began anew with, how many groups are on record, of how many. */
  generation: number
  opened: number
  total: number | undefined
  /** The blob that holds a map's list. */
  items: string | undefined
  /** The run that a workflow phase started. */
  child: string | undefined
  /** The opening of a gate that sent the run back to here, the last one. */
  sentBack: SentBack | undefined
}

/** `for`: the phase that is told why, this one or one in it. */
export interface SentBack {
  gate: string
  attempt: number
  round: number
  for: string
}

/** Where a run stands, in one read: what a workflow's step decides by. */
export interface Progress {
  runId: string
  tenant: string
  template: string
  definitionHash: string
  status: RunStatus
  control: 'go' | 'paused' | 'canceled' | 'over'
  /** Commands taken so far: part of the keys of what answers them. */
  commands: number
  /** The last seq of its log. */
  seq: number
  executionEpoch: number
  attempt: number
  actor: string
  input: unknown
  labels: Record<string, string>
  budget: Budget
  /** Micro-dollars settled, and what may be spent. */
  money: { spent: number; limit: number | null }
  workspace: Workspace | undefined
  /** The run it is a child of. */
  parent: string | undefined
  createdAt: Date
  /** The database's clock. */
  now: Date
  /** At the top: what is inside others is read in slices, since there may be thousands. */
  phases: PhaseProgress[]
  /** Gates that are open, and rejected ones that end the run well or fail it. */
  gates: {
    id: string
    phase: string
    attempt: number
    status: string
    onReject: string
    /** Automatic: a phase waits at it for its budget to be raised. */
    isBudget: boolean
    /** Ms until its people are to be reminded. */
    remindInMs?: number
  }[]
  /** Signals no wait phase has taken yet, oldest first. */
  signals: { name: string; id: string; data: unknown }[]
}

const PHASE = `jsonb_build_object('id', p.id, 'kind', p.kind, 'status', p.status, 'attempt', p.attempt, 'roundAttempt', p.round_attempt,
     'deadlineInMs', extract(epoch from p.deadline - clock_timestamp()) * 1000, 'retryInMs', extract(epoch from p.retry_at - clock_timestamp()) * 1000,
     'startedAt', p.started_at, 'error', p.error, 'output', p.output, 'position', p.position, 'generation', p.generation, 'opened', p.opened,
     'total', p.total, 'items', p.items, 'child', p.child, 'sentBack', p.sent_back)`

const READ = `
select r.id as "runId", r.tenant, r.template, r.definition_hash as "definitionHash", r.status, h.control, h.commands, h.seq::float8,
  h.execution_epoch as "executionEpoch", r.attempt, r.actor, r.input, r.labels, r.budget,
  (select jsonb_build_object('spent', b.settled_micro_usd, 'limit', b.limit_micro_usd) from devflow.run_budgets b where b.run_id = r.id) as money, r.workspace, r.parent, r.created_at as "createdAt", clock_timestamp() as now,
  (select coalesce(jsonb_agg(${PHASE} order by p.position), '[]') from devflow.phases p where p.run_id = r.id and cardinality(p.position) = 1) as phases,
  (select coalesce(jsonb_agg(jsonb_build_object('id', g.id, 'attempt', g.attempt, 'status', g.status, 'onReject', g.on_reject, 'phase', g.phase, 'isBudget', g.budget is not null)
       || case when g.remind_at is null then '{}' else jsonb_build_object('remindInMs', extract(epoch from g.remind_at - clock_timestamp()) * 1000) end), '[]') from devflow.gates g
     where g.run_id = r.id and (g.status = 'open' or g.status = 'rejected' and (g.on_reject = 'end' or g.budget is not null))) as gates,
  (select coalesce(jsonb_agg(jsonb_build_object('name', s.name, 'id', s.id, 'data', s.data) order by s.seq), '[]') from devflow.signals s where s.run_id = r.id and s.taken_by is null) as signals
from devflow.runs r join devflow.run_heads h on h.run_id = r.id where r.id = $1`

type PhaseRow = { [K in keyof PhaseProgress]: PhaseProgress[K] | null }
type Row = Omit<Progress, 'phases' | 'workspace' | 'parent'> & {
  workspace: Workspace | null
  parent: string | null
  phases: PhaseRow[]
}

/** Where a run stands; undefined when there is no such run (any more). */
export async function readProgress(db: Queryable, run: string): Promise<Progress | undefined> {
  const { rows } = await db.query<Row>({ name: 'read-progress', text: READ, values: [run] })
  const [row] = rows
  if (!row) return undefined
  return {
    ...row,
    workspace: row.workspace ?? undefined,
    parent: row.parent ?? undefined,
    phases: row.phases.map(phaseOf),
  }
}

function phaseOf(phase: PhaseRow): PhaseProgress {
  return {
    ...(phase as PhaseProgress),
    deadlineInMs: phase.deadlineInMs ?? undefined,
    retryInMs: phase.retryInMs ?? undefined,
    startedAt: phase.startedAt ? new Date(phase.startedAt) : undefined,
    error: phase.error ?? undefined,
    total: phase.total ?? undefined,
    items: phase.items ?? undefined,
    child: phase.child ?? undefined,
    sentBack: phase.sentBack ?? undefined,
  }
}

async function phasesWhere(
  pool: pg.Pool,
  name: string,
  condition: string,
  values: unknown[],
): Promise<PhaseProgress[]> {
  const { rows } = await pool.query<{ phase: PhaseRow }>({
    name,
    text: `select ${PHASE} as phase from devflow.phases p where p.run_id = $1 and ${condition} order by p.position`,
    values,
  })
  return rows.map(({ phase }) => phaseOf(phase))
}

/** Phases of a run by their ids, those that there are, in order. */
export function phasesById(pool: pg.Pool, run: string, ids: readonly string[]): Promise<PhaseProgress[]> {
  return phasesWhere(pool, 'phases-by-id', 'p.id = any($2)', [run, ids])
}

/**
 * What is inside a phase and not over, or failed: however many items are done, as many rows as are at work. Phases of the
 * names `passed` are over when they have failed, too.
 */
export function openPhasesIn(
  pool: pg.Pool,
  run: string,
  position: readonly number[],
  passed: readonly string[],
): Promise<PhaseProgress[]> {
  return phasesWhere(
    pool,
    'open-phases',
    `p.position > $2::int[] and p.position < devflow.end_of($2::int[]) and p.status in ('pending', 'running', 'waiting', 'failed')
     and not (p.status = 'failed' and regexp_replace(p.id, '[[#].*$', '') = any($3::text[]))`,
    [run, position, passed],
  )
}

/** The first phases of a run from top to bottom, nested ones too. */
export function firstPhases(pool: pg.Pool, run: string, most: number): Promise<PhaseProgress[]> {
  return phasesWhere(
    pool,
    'first-phases',
    'p.id in (select id from devflow.phases where run_id = $1 order by position limit $2)',
    [run, most],
  )
}

export interface LatestArtifact {
  name: string
  version: number
  sha256: string
}

/** The latest versions of artifacts by the names they are kept by, those that there are. However many versions: one read each. */
export async function latestArtifacts(
  pool: pg.Pool,
  run: string,
  names: readonly string[],
): Promise<LatestArtifact[]> {
  const { rows } = await pool.query<LatestArtifact>({
    name: 'latest-artifacts',
    text: `select a.name, a.version, a.sha256 from unnest($2::text[]) n(name), lateral (
             select name, version, sha256 from devflow.artifacts where run_id = $1 and name = n.name and phase is not null order by version desc limit 1) a`,
    values: [run, names],
  })
  return rows
}

/**
 * Takes a run for a Temporal execution: its epoch, and where it stands; undefined when there is no such run. It is taken
 * before it is read: what is read includes all that the last owner could write (I13).
 */
export async function beginExecution(
  pool: pg.Pool,
  run: string,
  execution: string,
): Promise<{ epoch: number; progress: Progress } | undefined> {
  const [taken, progress] = await together(pool, (db) =>
    Promise.all([
      db.query<{ epoch: number | null }>({
        name: 'begin-execution',
        text: 'select devflow.begin_execution($1, $2) as epoch',
        values: [run, execution],
      }),
      readProgress(db, run),
    ]),
  )
  const epoch = taken.rows[0]?.epoch ?? undefined
  return epoch === undefined || !progress ? undefined : { epoch, progress }
}

/**
 * Puts on record that a run waits, and for what; false when its log has grown since it was read at `seq`, or another
 * execution has it: then somebody may have decided meanwhile.
 */
export async function restRun(
  pool: pg.Pool,
  rest: { run: string; epoch: number; seq: number; for: { kind: string; id: string }[] },
): Promise<boolean> {
  const { rows } = await pool.query<{ stands: boolean }>({
    name: 'rest-run',
    text: 'select devflow.rest($1, $2, $3, $4::jsonb) as stands',
    values: [rest.run, rest.epoch, rest.seq, JSON.stringify(rest.for)],
  })
  return rows[0]?.stands ?? false
}

/** Puts on record that nothing of a paused run runs any more; false when it goes on by now, or another execution has it. */
export async function restPausedRun(
  pool: pg.Pool,
  rest: { run: string; epoch: number; commands: number },
): Promise<boolean> {
  const { rows } = await pool.query<{ stands: boolean }>({
    name: 'rest-paused-run',
    text: 'select devflow.rest_paused($1, $2, $3) as stands',
    values: [rest.run, rest.epoch, rest.commands],
  })
  return rows[0]?.stands ?? false
}

/** Lets a gate's deadline act, once it has passed: escalates or closes the gate, by the same guarded write as a decision. */
export async function expireGate(pool: pg.Pool, run: string, gate: string, epoch: number): Promise<void> {
  await pool.query({
    name: 'expire-gate',
    text: 'select devflow.expire_gate($1, $2, $3)',
    values: [run, gate, epoch],
  })
}

/** Reminds the people asked at a gate, once it is time. */
export async function remindGate(pool: pg.Pool, run: string, gate: string, epoch: number): Promise<void> {
  await pool.query({
    name: 'remind-gate',
    text: 'select devflow.remind_gate($1, $2, $3)',
    values: [run, gate, epoch],
  })
}

/** A frozen definition by its hash. */
export async function readDefinition(pool: pg.Pool, hash: string): Promise<Definition | undefined> {
  const { rows } = await pool.query<{ body: Definition }>({
    name: 'read-definition',
    text: 'select body from devflow.definitions where hash = $1',
    values: [hash],
  })
  return rows[0]?.body
}
