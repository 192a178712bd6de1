import type { PhaseStatus } from '@devflow/contracts'
import { type Numeric, numberIfAny, type Queryable } from './queryable.ts'
import { reusedIn } from './run-view.ts'

/** What a phase of a run came to, with the agents it asked for help. */
export interface PhaseFigures {
  id: string
  kind: string
  status: PhaseStatus
  attempts: number
  reused: boolean
  inputTokens: number
  outputTokens: number
  costMicroUsd: number
  /** Of its last attempt. */
  latencyMs: number | undefined
}

type Sum = 'inputTokens' | 'outputTokens' | 'costMicroUsd'
type Row = Omit<PhaseFigures, Sum | 'latencyMs'> & Record<Sum, Numeric> & { latencyMs: Numeric | null }

/** The figures of the first phases of a run, in order. */
export async function readPhaseFigures(db: Queryable, run: string, most: number): Promise<PhaseFigures[]> {
  const { rows } = await db.query<Row>({
    name: 'read-phase-figures',
    text: `select p.id, p.kind, p.status, p.attempt as attempts,
             (${reusedIn('(select forked_from from devflow.runs where id = $1)')}) is not null as reused,
             extract(epoch from p.ended_at - p.started_at) * 1000 as "latencyMs",
             coalesce(m.input, 0) as "inputTokens", coalesce(m.output, 0) as "outputTokens", coalesce(m.cost, 0) as "costMicroUsd"
           from (select * from devflow.phases where run_id = $1 order by position, id limit $2) p
           left join (select split_part(phase, '~', 1) as id, sum(input_tokens) as input, sum(output_tokens) as output, sum(cost_micro_usd) as cost
             from devflow.model_calls where run_id = $1 group by 1) m on m.id = p.id
           order by p.position, p.id`,
    values: [run, most],
  })
  return rows.map(({ id, kind, status, attempts, reused, ...row }) => ({
    ...{ id, kind, status, attempts, reused },
    inputTokens: Number(row.inputTokens),
    outputTokens: Number(row.outputTokens),
    costMicroUsd: Number(row.costMicroUsd),
    latencyMs: numberIfAny(row.latencyMs),
  }))
}
