import type { Numeric, Queryable } from './queryable.ts'

/** Runs of a template that are looked at, and of them those a phase's figures are made of: the last ones. */
const MOST_RUNS = 200
const MOST_RUNS_OF_PHASE = 20

/** What a phase of a template has cost with a persona, in its last finished runs; all its repetitions in a run together. */
export interface PhaseHistory {
  phase: string
  persona: string
  runs: number
  /** Micro-dollars, exact, as decimal text: a tenth of the runs cost no more than `low`, nine tenths no more than `high`. */
  low: string
  high: string
  /** Input and output together; nine tenths of the runs used no more. */
  tokens: number
}

type Row = Pick<PhaseHistory, 'phase' | 'persona' | 'low' | 'high'> & { runs: Numeric; tokens: Numeric }

/**
 * How dear the phases of a template were. Phases that failed or were canceled tell little and are left out; so are runs
 * that took over what others had paid.
 */
export async function readPhaseHistory(
  db: Queryable,
  { tenant, template }: { tenant: string; template: string },
): Promise<PhaseHistory[]> {
  const { rows } = await db.query<Row>({
    name: 'read-phase-history',
    text: `with recent as (
             select r.id from devflow.runs r
             where r.tenant = $1 and r.template = $2 and r.ended_at is not null and r.forked_from is null order by r.id desc limit ${MOST_RUNS}
           ), finished as (
             select p.run_id, regexp_replace(p.id, '[[#].*$', '') as phase from recent join devflow.phases p on p.run_id = recent.id
             group by 1, 2 having bool_and(p.status in ('completed', 'skipped'))
           ), spent as (
             select m.run_id, f.phase, m.persona, sum(coalesce(m.cost_micro_usd, m.reserved_micro_usd)) as cost,
               sum(coalesce(m.input_tokens, 0) + coalesce(m.output_tokens, 0)) as tokens
             from finished f join devflow.model_calls m on m.run_id = f.run_id and regexp_replace(m.phase, '[[#].*$', '') = f.phase
             group by 1, 2, 3
           ), last as (
             select s.*, row_number() over (partition by s.phase, s.persona order by s.run_id desc) as n from spent s
           )
           select phase, persona, count(*) as runs, trim_scale(percentile_disc(0.1) within group (order by cost)) as low,
             trim_scale(percentile_disc(0.9) within group (order by cost)) as high, percentile_disc(0.9) within group (order by tokens) as tokens
           from last where n <= ${MOST_RUNS_OF_PHASE} group by phase, persona`,
    values: [tenant, template],
  })
  return rows.map((row) => ({ ...row, runs: Number(row.runs), tokens: Number(row.tokens) }))
}
