import type { Budget, BudgetPolicy, BudgetScope } from '@devflow/contracts'
import { type Numeric, numberIfAny, present, type Queryable } from './queryable.ts'

/** A budget that holds for personas beside a run's own, and what it has left today. */
export interface SharedBudget {
  scope: BudgetScope
  /** Whose it is where it is one persona's. */
  persona?: string
  onExceeded: BudgetPolicy
  allowUnpriced: boolean
  /** Undefined where it limits none. Micro-dollars. */
  leftMicroUsd?: number
  leftTokens?: number
  /** Those of the personas asked for who draw on it. */
  personas: string[]
}

interface Row {
  scope: BudgetScope
  persona: string
  on_exceeded: BudgetPolicy
  allow_unpriced: boolean
  left_micro: Numeric | null
  left_tokens: Numeric | null
  personas: string[]
}

/** What calls of these personas would be charged to now, beside the run's own budget. `parent`: whose budget a child shares. */
export async function readSharedBudgets(
  db: Queryable,
  { tenant, personas, parent }: { tenant: string; personas: readonly string[]; parent?: string },
): Promise<SharedBudget[]> {
  const { rows } = await db.query<Row>({
    name: 'read-shared-budgets',
    text: `with used as (
             select p.*, u.micro, u.tokens from devflow.budget_pools p cross join lateral devflow.used_of(p) u
           ), shared as (
             select b.scope, b.tenant, b.persona, b.limit_micro_usd, b.limit_tokens, b.on_exceeded, b.allow_unpriced, array_agg(a.persona) as personas
             from (select distinct unnest($2::text[]) as persona) a cross join lateral devflow.budgets_over($1, a.persona) b
             group by 1, 2, 3, 4, 5, 6, 7
           )
           select s.scope, s.persona, s.on_exceeded, s.allow_unpriced, s.personas,
             s.limit_micro_usd - coalesce(u.micro, 0) as left_micro, s.limit_tokens - coalesce(u.tokens, 0) as left_tokens
           from shared s left join used u on u.day = devflow.day_of(devflow.clock()) and (u.scope, u.tenant, u.persona) = (s.scope, s.tenant, s.persona)
           union all
           select 'run', '', coalesce(u.on_exceeded, r.budget->>'onExceeded', 'block'), coalesce(u.allow_unpriced, (r.budget->>'allowUnpriced')::boolean, false), $2::text[],
             coalesce(u.limit_micro_usd - u.micro, b.limit_micro_usd - b.reserved_micro_usd - b.settled_micro_usd),
             coalesce(u.limit_tokens - u.tokens, b.limit_tokens - b.reserved_tokens - b.settled_tokens)
           from devflow.run_heads h
           join devflow.runs r on r.id = coalesce(h.root, h.run_id) join devflow.run_budgets b on b.run_id = r.id
           left join used u on u.scope = 'run' and u.persona = r.id::text
           where h.run_id = $3::uuid and h.tenant = $1`,
    values: [tenant, personas, parent ?? null],
  })
  return rows.map((row) =>
    present<SharedBudget>({
      scope: row.scope,
      ...(row.persona === '' ? {} : { persona: row.persona }),
      onExceeded: row.on_exceeded,
      allowUnpriced: row.allow_unpriced,
      leftMicroUsd: leftOf(row.left_micro),
      leftTokens: leftOf(row.left_tokens),
      personas: row.personas,
    } as SharedBudget),
  )
}

/** An overdrawn budget has nothing left. */
function leftOf(left: Numeric | null): number | undefined {
  const known = numberIfAny(left)
  return known === undefined ? undefined : Math.max(known, 0)
}

/** The budget of a run whose template and submission say `said`: what they do not say, the tenant does. */
export async function readDefaultedBudget(db: Queryable, tenant: string, said: Budget): Promise<Budget> {
  const { rows } = await db.query<{ budget: Budget }>({
    name: 'read-defaulted-budget',
    text: 'select devflow.default_budget($1) || $2::jsonb as budget',
    values: [tenant, JSON.stringify(said)],
  })
  return rows[0]?.budget ?? said
}
