import type {
  ErrorRecord,
  PhaseView,
  Run,
  RunBudget,
  RunStatus,
  WaitingFor,
  Workspace,
} from '@devflow/contracts'
import { isoTime, isoTimeIfAny, type Numeric, present } from './queryable.ts'

/** The phases a run's view lists; more by `readPhases`. */
const MOST_PHASES_SHOWN = 500

/** Whether a phase `p` was taken over by its run, which is a fork; null when not. */
export const reusedIn = (forkedFrom: string) => `
  case when ${forkedFrom} is not null and exists (select 1 from devflow.run_events e where e.run_id = p.run_id
    and e.key in (p.id || '/' || p.attempt || '/end', p.id || '/' || p.attempt || '/skipped') and e.data ? 'reused') then true end`

/** What was submitted, with the limits as they stand now, and what was made of them. */
const BUDGET = `
  (select r.budget || jsonb_strip_nulls(jsonb_build_object('limitMicroUsd', b.limit_micro_usd, 'limitTokens', b.limit_tokens,
      'spentMicroUsd', b.settled_micro_usd, 'reservedMicroUsd', b.reserved_micro_usd, 'spentTokens', b.settled_tokens, 'reservedTokens', b.reserved_tokens,
      'raisedMicroUsd', nullif(b.limit_micro_usd - (r.budget->>'limitMicroUsd')::numeric, 0), 'raisedTokens', nullif(b.limit_tokens - (r.budget->>'limitTokens')::bigint, 0)))
    from devflow.run_budgets b where b.run_id = r.id)`

/** The columns of a run's view, from `devflow.runs r`. One statement, so all of them are of one moment. */
export const RUN_VIEW = `
  r.id, r.template, r.definition_hash, r.status, r.input, r.labels, r.workspace, r.actor, r.parent,
  r.forked_from, r.attempt, r.output, r.error, r.created_at, r.started_at, r.ended_at, h.seq,
  (select coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'kind', p.kind, 'status', p.status, 'attempt', p.attempt,
      'startedAt', p.started_at, 'endedAt', p.ended_at, 'error', p.error, 'reused', ${reusedIn('r.forked_from')}) order by p.position, p.id), '[]')
    from (select * from devflow.phases where run_id = r.id order by position, id limit ${MOST_PHASES_SHOWN}) p) as phases,
  (select coalesce(jsonb_agg(jsonb_build_object('kind', case when g.id is null then p.kind else 'gate' end, 'id', coalesce(g.id, p.id),
      'since', coalesce(g.opened_at, p.started_at, r.created_at), 'deadline', p.deadline) order by p.position, p.id), '[]')
    from (select * from devflow.phases where run_id = r.id and status = 'waiting' order by position, id limit ${MOST_PHASES_SHOWN}) p
    left join devflow.gates g on g.run_id = p.run_id and g.status = 'open' and (g.phase = p.id or p.kind = 'agent' and g.budget is not null)
    where not (p.kind = 'wait' and exists (select 1 from devflow.run_events e join devflow.signals s on s.run_id = e.run_id and s.name = e.data->>'signal'
      where e.run_id = p.run_id and e.key = p.id || '/' || p.attempt || '/opened' and s.taken_by is null))) as waiting,
  ${BUDGET} as budget,
  (select jsonb_build_object('inputTokens', coalesce(sum(m.input_tokens), 0), 'outputTokens', coalesce(sum(m.output_tokens), 0),
      'costMicroUsd', coalesce(sum(m.cost_micro_usd), 0),
      'unsettledMicroUsd', coalesce(sum(m.reserved_micro_usd) filter (where m.cost_micro_usd is null), 0))
    from devflow.model_calls m where m.run_id = any(devflow.family(r.id))) as usage`

export interface RunRow {
  id: string
  template: string
  definition_hash: string
  status: RunStatus
  input: Run['input']
  labels: Record<string, string>
  budget: RunBudget
  workspace: Workspace | null
  actor: string
  parent: string | null
  forked_from: string | null
  attempt: number
  output: Run['output']
  error: ErrorRecord | null
  created_at: Date
  started_at: Date | null
  ended_at: Date | null
  seq: Numeric
  phases: PhaseView[]
  waiting: WaitingFor[]
  usage: Run['usage']
}

export function runOf(row: RunRow): Run {
  // Phases side by side may wait at one gate.
  const waitingFor = row.ended_at
    ? []
    : [...new Map(row.waiting.map(waitingOf).map((each) => [`${each.kind} ${each.id}`, each])).values()]
  const told = present<Omit<Run, 'input'>>({
    id: row.id,
    template: row.template,
    definitionHash: row.definition_hash,
    status: row.status,
    labels: row.labels,
    phases: row.phases.map(phaseOf),
    usage: row.usage,
    budget: row.budget,
    output: row.output,
    error: row.error ?? undefined,
    actor: row.actor,
    attempt: row.attempt,
    parent: row.parent ?? undefined,
    forkedFrom: row.forked_from ?? undefined,
    workspace: row.workspace ?? undefined,
    waitingFor: waitingFor.length > 0 ? waitingFor : undefined,
    latencyMs: row.ended_at ? row.ended_at.getTime() - row.created_at.getTime() : undefined,
    createdAt: isoTime(row.created_at),
    startedAt: isoTimeIfAny(row.started_at),
    endedAt: isoTimeIfAny(row.ended_at),
    lastSeq: Number(row.seq),
  })
  // A run without an input has the input null: the one field that is always there.
  return { ...told, input: row.input }
}

export function phaseOf(phase: PhaseView): PhaseView {
  return present({ ...phase, startedAt: isoTimeIfAny(phase.startedAt), endedAt: isoTimeIfAny(phase.endedAt) })
}

function waitingOf(waiting: WaitingFor): WaitingFor {
  return present({
    ...waiting,
    kind: waiting.kind === 'gate' ? 'gate' : 'wait',
    since: isoTime(waiting.since),
    deadline: isoTimeIfAny(waiting.deadline),
  })
}
