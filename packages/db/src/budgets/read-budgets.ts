import type { BudgetDay, BudgetPolicy, BudgetScope, BudgetView } from '@devflow/contracts'
import { type Numeric, present, type Queryable } from '../read/queryable.ts'

interface Row {
  scope: BudgetScope
  persona: string
  limit_micro_usd: Numeric | null
  limit_tokens: Numeric | null
  on_exceeded: BudgetPolicy
  allow_unpriced: boolean
  today: BudgetDay[]
}

/**
 * The budgets of a tenant and over all, in the order they were set, with what was charged to each on this UTC day: by the
 * ledger, so also what was spent before they were set.
 */
export async function readBudgets(db: Queryable, tenant: string): Promise<BudgetView[]> {
  const { rows } = await db.query<Row>({
    name: 'read-budgets',
    text: `with day as (select devflow.day_of(devflow.clock()) as today), spent as (
             select m.tenant, m.persona, sum(m.cost_micro_usd) as micro, sum(m.reserved_micro_usd) filter (where m.cost_micro_usd is null) as reserved,
               sum(case when m.cost_source = 'estimate' and m.input_tokens is null then m.reserved_tokens
                 else coalesce(m.input_tokens, 0) + coalesce(m.output_tokens, 0) end) filter (where m.cost_micro_usd is not null) as tokens,
               sum(m.reserved_tokens) filter (where m.cost_micro_usd is null) as reserved_tokens
             from devflow.model_calls m, day where m.at >= devflow.start_of(today) and m.at < devflow.start_of(today + 1)
               and exists (select 1 from devflow.budgets where tenant in ($1, '*') and scope <> 'run') group by 1, 2
           )
           select b.scope, b.persona, b.limit_micro_usd, b.limit_tokens, b.on_exceeded, b.allow_unpriced, coalesce(t.today, '[]') as today
           from devflow.budgets b left join lateral (
             select jsonb_agg(jsonb_strip_nulls(jsonb_build_object('day', day.today, 'persona', o.pool_persona, 'spentMicroUsd', o.micro, 'reservedMicroUsd', o.reserved,
                 'spentTokens', o.tokens, 'reservedTokens', o.reserved_tokens)) order by o.pool_persona) as today
             from day, (
               select nullif(c.persona, '') as pool_persona, coalesce(sum(s.micro), 0) as micro, coalesce(sum(s.reserved), 0) as reserved,
                 coalesce(sum(s.tokens), 0) as tokens, coalesce(sum(s.reserved_tokens), 0) as reserved_tokens
               from spent s cross join lateral devflow.budgets_over(s.tenant, s.persona) c
               where c.tenant = b.tenant and c.scope = b.scope and (b.persona = '' or c.persona = b.persona)
                 and (b.scope <> 'persona-day' or b.persona <> '' or not exists (
                   select 1 from devflow.budgets x where x.tenant = b.tenant and x.scope = b.scope and x.persona = c.persona)) group by 1
             ) o
           ) t on b.scope <> 'run'
           where b.tenant in ($1, '*') order by b.position`,
    values: [tenant],
  })
  return rows.map(({ scope, persona, today, ...row }) =>
    present<BudgetView>({
      scope,
      persona: persona === '' ? undefined : persona,
      limitMicroUsd: row.limit_micro_usd === null ? undefined : Number(row.limit_micro_usd),
      limitTokens: row.limit_tokens === null ? undefined : Number(row.limit_tokens),
      onExceeded: row.on_exceeded,
      allowUnpriced: row.allow_unpriced ? true : undefined,
      today,
    }),
  )
}
