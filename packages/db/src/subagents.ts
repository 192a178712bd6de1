import type { RunEvent } from '@devflow/contracts'
import type pg from 'pg'

/** What events of these keys hold, by key; bodies stored apart are read in. */
export async function readEventData(
  pool: pg.Pool,
  run: string,
  keys: readonly string[],
): Promise<Map<string, RunEvent['data']>> {
  const { rows } = await pool.query<{ key: string; data: RunEvent['data'] }>({
    name: 'read-event-data',
    text: `select e.key, case when b.content is null then e.data else convert_from(b.content, 'UTF8')::jsonb end as data
           from devflow.run_events e
           left join devflow.blobs b on b.run_id = e.run_id and b.sha256 = e.data->>'$blob'
           where e.run_id = $1 and e.key = any($2)`,
    values: [run, keys],
  })
  return new Map(rows.map(({ key, data }) => [key, data]))
}

/** Micro-dollars as exact decimal text. Undefined: without a limit. Below zero where a budget may be gone past. */
export interface Left {
  microUsd: string | undefined
  tokens: number | undefined
}

/** What the run's own budget still holds that is neither spent nor reserved. */
export async function readBudgetLeft(pool: pg.Pool, run: string): Promise<Left> {
  const { rows } = await pool.query<{ micro: string | null; tokens: string | null }>({
    name: 'read-budget-left',
    text: `select (limit_micro_usd - reserved_micro_usd - settled_micro_usd)::text as micro,
             (limit_tokens - reserved_tokens - settled_tokens)::text as tokens
           from devflow.run_budgets where run_id = $1`,
    values: [run],
  })
  const { micro, tokens } = rows[0] ?? {}
  return { microUsd: micro ?? undefined, tokens: tokens == null ? undefined : Number(tokens) }
}

/** What a session has taken so far, with those it asked for help: of calls whose cost nobody knows, what they reserved. */
export async function readTaken(
  pool: pg.Pool,
  run: string,
  phase: string,
  attempt: number,
): Promise<{ microUsd: string; tokens: number }> {
  const { rows } = await pool.query<{ micro: string; tokens: string }>({
    name: 'read-taken',
    text: `select coalesce(sum(coalesce(cost_micro_usd, reserved_micro_usd)), 0)::text as micro,
             coalesce(sum(case when cost_micro_usd is null then reserved_tokens else coalesce(input_tokens, 0) + coalesce(output_tokens, 0) end), 0)::text as tokens
           from devflow.model_calls where run_id = $1 and attempt = $3 and (phase = $2 or starts_with(phase, $2 || '~'))`,
    values: [run, phase, attempt],
  })
  const [row] = rows
  if (!row) throw new Error('a query of sums answered no row')
  return { microUsd: row.micro, tokens: Number(row.tokens) }
}
