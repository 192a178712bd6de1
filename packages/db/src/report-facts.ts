import type { DecisionKind, GateStatus } from '@devflow/contracts'
import type pg from 'pg'

/** What a report says of one phase beyond its status. */
export interface PhaseFacts {
  phase: string
  persona: string | null
  model: string | null
  turns: number
  repairs: number
  calls: number
  costMicroUsd: number
}

export interface GateFacts {
  id: string
  status: GateStatus
  title: string
  decisions: { actor: string; decision: DecisionKind; comment: string | null; at: string }[]
}

export interface ReportFacts {
  phases: PhaseFacts[]
  gates: GateFacts[]
  usage: {
    inputTokens: number
    outputTokens: number
    costMicroUsd: number
    unsettledMicroUsd: number
    calls: number
  }
}

/** Counts and sums for a run's report, read from its log and ledger. Sums are NUMERIC; their JSON numbers are exact. */
export async function readReportFacts(pool: pg.Pool, run: string): Promise<ReportFacts> {
  const { rows } = await pool.query<{ facts: ReportFacts }>({
    name: 'read-report-facts',
    text: `select jsonb_build_object(
      'phases', (select coalesce(jsonb_agg(jsonb_build_object('phase', p.id, 'persona', c.persona, 'model', c.model, 'turns', coalesce(e.turns, 0),
          'repairs', coalesce(e.repairs, 0), 'calls', coalesce(c.calls, 0), 'costMicroUsd', coalesce(c.cost, 0)) order by p.position), '[]')
        from devflow.phases p
        left join (select phase, max(persona) as persona, max(coalesce(model_used, model)) as model, count(*) as calls, sum(cost_micro_usd) as cost
          from devflow.model_calls where run_id = $1 group by phase) c on c.phase = p.id
        left join (select phase, count(*) filter (where type = 'turn.completed') as turns, count(*) filter (where type = 'artifact.rejected') as repairs
          from devflow.run_events where run_id = $1 and phase is not null group by phase) e on e.phase = p.id
        where p.run_id = $1),
      'gates', (select coalesce(jsonb_agg(jsonb_build_object('id', g.id, 'status', g.status, 'title', g.title, 'decisions',
          (select coalesce(jsonb_agg(jsonb_build_object('actor', d.principal, 'decision', d.decision, 'comment', d.comment, 'at', to_char(d.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by d.at), '[]')
           from devflow.gate_decisions d where d.run_id = g.run_id and d.gate = g.id and d.attempt = g.attempt))), '[]')
        from devflow.gates g where g.run_id = $1),
      'usage', (select jsonb_build_object('inputTokens', coalesce(sum(input_tokens), 0), 'outputTokens', coalesce(sum(output_tokens), 0), 'costMicroUsd', coalesce(sum(cost_micro_usd), 0),
          'unsettledMicroUsd', coalesce(sum(reserved_micro_usd) filter (where cost_micro_usd is null), 0), 'calls', count(*)) from devflow.model_calls where run_id = $1)
    ) as facts`,
    values: [run],
  })
  const [row] = rows
  if (!row) throw new Error('a query of aggregates always has a row')
  return row.facts
}
