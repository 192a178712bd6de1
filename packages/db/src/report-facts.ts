import type { ErrorDetail, ErrorRecord, ReportModel, ReportPhase } from '@devflow/contracts'
import type pg from 'pg'

/** What a report says of one phase beyond what the run's progress does. */
export interface PhaseFacts
  extends Pick<ReportPhase, 'turns' | 'toolCalls' | 'toolsDenied' | 'takenOver' | 'repairs'> {
  phase: string
  attempts: number
  startedAt: string | null
  endedAt: string | null
  when: string | null
  /** The commit its workspace began at. */
  commit: string | null
  /** Commands that ran without a sandbox. */
  unsandboxed: number
  /** Taken over from the run this one was forked from. */
  reused: boolean
  failures: { attempt: number; error: ErrorRecord; at: string }[]
  rejections: { attempt: number; turn: number; errors: ErrorDetail[] | null }[]
}

type Gate = NonNullable<ReportPhase['gate']>
export type GateFacts = { id: string } & Pick<
  Gate,
  'status' | 'title' | 'subject' | 'quorum' | 'decisions' | 'openedAt' | 'openings' | 'delegations'
> & {
    [Field in 'closedAt' | 'closedBy' | 'escalatedAt']: string | null
  }

export interface ReportFacts {
  /** Role → persona, as the run was submitted. */
  bindings: Record<string, string>
  phases: PhaseFacts[]
  models: (ReportModel & { phase: string })[]
  /** Of each phase, what it accepted last. */
  artifacts: { phase: string; name: string; version: number; sha256: string; bytes: number }[]
  gates: GateFacts[]
  canceled: { actor: string; reason: string | null; via: string | null; at: string } | null
  retries: { attempt: number; actor: string; reason: string | null; phase: string | null; at: string }[]
  /** Where it was forked, and what was paid there for what it has taken over. */
  fork: { run: string; fromPhase: string; paidMicroUsd: number } | null
  usage: {
    inputTokens: number
    outputTokens: number
    costMicroUsd: number
    unsettledMicroUsd: number
    calls: number
  }
}

/** A time as JSON has it. */
const iso = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/** Sums are NUMERIC; their JSON numbers are exact. */
const SPENT = `'calls', count(*) filter (where cost_source is distinct from 'reused'), 'inputTokens', coalesce(sum(input_tokens), 0), 'outputTokens', coalesce(sum(output_tokens), 0),
  'costMicroUsd', coalesce(sum(cost_micro_usd), 0), 'unsettledMicroUsd', coalesce(sum(reserved_micro_usd) filter (where cost_micro_usd is null), 0)`

/** The first of these events of a phase, as a list; bodies that are stored apart are read in. */
const listOf = (
  type: string,
  fields: string,
) => `(select coalesce(jsonb_agg(jsonb_build_object(${fields}) order by e.seq), '[]')
  from (select e.seq, e.attempt, e.turn, e.at, coalesce(convert_from(b.content, 'UTF8')::jsonb, e.data) as data
    from devflow.run_events e left join devflow.blobs b on b.run_id = e.run_id and b.sha256 = e.data->>'$blob'
    where e.run_id = $1 and e.type = '${type}' and e.phase = p.id order by e.seq limit 50) e)`

/** Turns and tools are most of a log, and of those only these are counted. */
const COUNTED = `('turn.completed', 'tool.called', 'tool.denied', 'tool.started', 'session.resumed', 'artifact.rejected',
  'phase.started', 'phase.completed', 'phase.failed', 'phase.skipped')`

/** Commands are found by their keys, which `command` numbers: that saves a look through the whole log. */
const READ = `with command as materialized (select * from devflow.run_events where run_id = $1 and key = any (array(
  select 'command/' || n || '/' || word from devflow.run_heads h, generate_series(1, h.commands) n, unnest('{canceling,retried}'::text[]) word where h.run_id = $1)))
select jsonb_build_object(
  'bindings', coalesce((select data->'bindings' from devflow.run_events where run_id = $1 and key = 'run/submitted'), '{}'),
  'phases', (select coalesce(jsonb_agg(jsonb_build_object('phase', p.id, 'turns', coalesce(e.turns, 0), 'toolCalls', coalesce(e.called, 0),
      'toolsDenied', coalesce(e.denied, 0), 'unsandboxed', coalesce(e.unsandboxed, 0), 'takenOver', coalesce(e.resumed, 0), 'reused', coalesce(e.reused, false), 'repairs', coalesce(e.rejected - e.given_up, 0), 'attempts', coalesce(e.attempts, 0),
      'startedAt', ${iso('e.started')}, 'endedAt', ${iso('p.ended_at')}, 'when', e.skipped, 'commit', e.commit,
      'failures', case when e.failed > 0 then ${listOf('phase.failed', `'attempt', e.attempt, 'error', e.data->'error', 'at', ${iso('e.at')}`)} else '[]' end,
      'rejections', case when e.rejected > 0 then ${listOf('artifact.rejected', "'attempt', e.attempt, 'turn', e.turn, 'errors', e.data->'errors'")} else '[]' end) order by p.position), '[]')
    from devflow.phases p
    left join (select split_part(phase, '~', 1) as phase, count(*) filter (where type = 'turn.completed') as turns, count(*) filter (where type = 'tool.called') as called,
        count(*) filter (where type = 'tool.denied') as denied, count(*) filter (where type = 'tool.started' and data->'unsandboxed' = 'true') as unsandboxed, count(*) filter (where type = 'session.resumed' and strpos(phase, '~') = 0) as resumed,
        bool_or(data ? 'reused') filter (where type in ('phase.completed', 'phase.failed', 'phase.skipped')) as reused,
        count(*) filter (where type = 'artifact.rejected' and strpos(phase, '~') = 0) as rejected, count(*) filter (where type = 'phase.failed') as failed,
        count(*) filter (where type = 'phase.failed' and data->'error'->>'code' = 'artifact_invalid') as given_up,
        count(*) filter (where type = 'phase.started') as attempts, min(at) filter (where type = 'phase.started') as started,
        max(data->>'when') filter (where type = 'phase.skipped') as skipped, max(data->'workspace'->>'commit') filter (where type = 'phase.started') as commit
      from devflow.run_events where run_id = $1 and type in ${COUNTED} group by 1) e on e.phase = p.id
    where p.run_id = $1),
  'models', (select coalesce(jsonb_agg(c.spent order by c.first), '[]') from (select min(at) as first,
      jsonb_build_object('phase', split_part(phase, '~', 1), 'persona', persona, 'provider', provider, 'model', coalesce(model_used, model), ${SPENT}) as spent
    from devflow.model_calls where run_id = $1 group by split_part(phase, '~', 1), persona, provider, coalesce(model_used, model)) c),
  'artifacts', (select coalesce(jsonb_agg(jsonb_build_object('phase', a.phase, 'name', a.name, 'version', a.version, 'sha256', a.sha256, 'bytes', a.bytes)), '[]')
    from (select distinct on (phase) * from devflow.artifacts where run_id = $1 and phase is not null order by phase, at desc, version desc) a),
  'gates', (select coalesce(jsonb_agg(jsonb_build_object('id', g.id, 'status', g.status, 'title', g.title, 'subject', g.subject, 'quorum', g.quorum,
      'openedAt', ${iso('g.opened_at')}, 'closedAt', ${iso('g.closed_at')}, 'escalatedAt', ${iso('g.escalated_at')},
      'closedBy', (select e.data->>'by' from devflow.run_events e where e.run_id = g.run_id and e.key = g.phase || '/' || g.attempt || '/closed'),
      'decisions', (select coalesce(jsonb_agg(jsonb_build_object('actor', d.principal, 'decision', d.decision, 'comment', d.comment, 'via', d.via, 'attempt', d.attempt,
        'at', ${iso('d.at')}) order by d.at, d.principal), '[]') from devflow.gate_decisions d where d.run_id = g.run_id and d.gate = g.id),
      'openings', (select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('attempt', o.attempt, 'subject', coalesce(o.data->'subject', '[]'), 'openedAt', ${iso('o.at')}, 'closedAt', ${iso('c.at')},
          'outcome', coalesce(c.data->>'outcome', c.data->>'status'), 'goto', c.data->>'goto')) order by o.attempt), '[]')
        from generate_series(1, g.attempt) a join devflow.run_events o on o.run_id = g.run_id and o.key = g.phase || '/' || a || '/opened'
        left join devflow.run_events c on c.run_id = g.run_id and c.key = g.phase || '/' || a || '/closed' where g.attempt > 1 and g.budget is null),
      'delegations', (select coalesce(jsonb_agg(jsonb_build_object('from', d.principal, 'to', d.delegate, 'attempt', d.attempt, 'at', ${iso('d.at')}) order by d.at), '[]')
        from devflow.gate_delegations d where d.run_id = g.run_id and d.gate = g.id))), '[]')
    from devflow.gates g where g.run_id = $1),
  'canceled', (select jsonb_build_object('actor', data->>'actor', 'reason', data->>'reason', 'via', data->>'via', 'at', ${iso('at')})
    from command where type = 'run.canceling' order by seq desc limit 1),
  'retries', (select coalesce(jsonb_agg(jsonb_build_object('attempt', (data->>'attempt')::int, 'actor', data->>'actor', 'reason', data->>'reason', 'phase', data->>'phase', 'at', ${iso('at')}) order by seq), '[]')
    from command where type = 'run.retried'),
  'fork', (select jsonb_build_object('run', s.data->>'forkedFrom', 'fromPhase', s.data->>'fromPhase', 'paidMicroUsd', coalesce((
      select sum((e.data->'paid'->>'costMicroUsd')::numeric) from devflow.run_events e where e.run_id = $1 and e.type = 'call.settled' and e.data ? 'reused'), 0))
    from devflow.run_events s where s.run_id = $1 and s.key = 'run/submitted' and s.data ? 'forkedFrom'),
  'usage', (select jsonb_build_object(${SPENT}) from devflow.model_calls where run_id = $1)
) as facts`

/** What a run's report is made of, read from its log, ledger and projections. Agents that were asked for help are part of the phase. */
export async function readReportFacts(pool: pg.Pool, run: string): Promise<ReportFacts> {
  const { rows } = await pool.query<{ facts: ReportFacts }>({
    name: 'read-report-facts',
    text: READ,
    values: [run],
  })
  const [row] = rows
  if (!row) throw new Error('a query of aggregates always has a row')
  return row.facts
}
