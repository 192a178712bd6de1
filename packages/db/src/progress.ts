import type { Budget, Definition, ErrorRecord, PhaseStatus, RunStatus, Workspace } from '@devflow/contracts'
import type pg from 'pg'

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
  executionEpoch: number
  attempt: number
  actor: string
  input: unknown
  labels: Record<string, string>
  budget: Budget
  workspace: Workspace | undefined
  createdAt: Date
  /** The database's clock. */
  now: Date
  phases: PhaseProgress[]
  /** Latest version of each artifact. */
  artifacts: { name: string; version: number; sha256: string }[]
  gates: { id: string; attempt: number; status: string; onReject: string }[]
  /** Signals no wait phase has taken yet, oldest first. */
  signals: { name: string; id: string; data: unknown }[]
}

const READ = `
select r.id as "runId", r.tenant, r.template, r.definition_hash as "definitionHash", r.status, h.control, h.commands,
  h.execution_epoch as "executionEpoch", r.attempt, r.actor, r.input, r.labels, r.budget, r.workspace, r.created_at as "createdAt", clock_timestamp() as now,
  (select coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'kind', p.kind, 'status', p.status, 'attempt', p.attempt, 'roundAttempt', p.round_attempt,
     'deadlineInMs', extract(epoch from p.deadline - clock_timestamp()) * 1000, 'retryInMs', extract(epoch from p.retry_at - clock_timestamp()) * 1000,
     'startedAt', p.started_at, 'error', p.error, 'output', p.output) order by p.position), '[]') from devflow.phases p where p.run_id = r.id) as phases,
  (select coalesce(jsonb_agg(jsonb_build_object('name', a.name, 'version', a.version, 'sha256', a.sha256)), '[]')
     from (select distinct on (name) name, version, sha256 from devflow.artifacts where run_id = r.id and phase is not null order by name, version desc) a) as artifacts,
  (select coalesce(jsonb_agg(jsonb_build_object('id', g.id, 'attempt', g.attempt, 'status', g.status, 'onReject', g.on_reject)), '[]') from devflow.gates g where g.run_id = r.id) as gates,
  (select coalesce(jsonb_agg(jsonb_build_object('name', s.name, 'id', s.id, 'data', s.data) order by s.seq), '[]') from devflow.signals s where s.run_id = r.id and s.taken_by is null) as signals
from devflow.runs r join devflow.run_heads h on h.run_id = r.id where r.id = $1`

type Row = Omit<Progress, 'phases' | 'workspace'> & {
  workspace: Workspace | null
  phases: { [K in keyof PhaseProgress]: PhaseProgress[K] | null }[]
}

/** Where a run stands; undefined when there is no such run (any more). */
export async function readProgress(pool: pg.Pool, run: string): Promise<Progress | undefined> {
  const { rows } = await pool.query<Row>({ name: 'read-progress', text: READ, values: [run] })
  const [row] = rows
  if (!row) return undefined
  return {
    ...row,
    workspace: row.workspace ?? undefined,
    phases: row.phases.map((phase) => ({
      ...(phase as PhaseProgress),
      deadlineInMs: phase.deadlineInMs ?? undefined,
      retryInMs: phase.retryInMs ?? undefined,
      startedAt: phase.startedAt ? new Date(phase.startedAt) : undefined,
      error: phase.error ?? undefined,
    })),
  }
}

/** Takes a run for a Temporal execution: its epoch; undefined when there is no such run. */
export async function beginExecution(
  pool: pg.Pool,
  run: string,
  execution: string,
): Promise<number | undefined> {
  const { rows } = await pool.query<{ epoch: number | null }>({
    name: 'begin-execution',
    text: 'select devflow.begin_execution($1, $2) as epoch',
    values: [run, execution],
  })
  return rows[0]?.epoch ?? undefined
}

/** Lets a gate's deadline act, once it has passed: escalates or closes the gate, by the same guarded write as a decision. */
export async function expireGate(pool: pg.Pool, run: string, gate: string, epoch: number): Promise<void> {
  await pool.query({
    name: 'expire-gate',
    text: 'select devflow.expire_gate($1, $2, $3)',
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
