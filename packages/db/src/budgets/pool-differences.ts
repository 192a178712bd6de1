import type { Queryable } from '../read/queryable.ts'
import type { Difference } from '../rebuild/differences.ts'

interface Row {
  name: string
  tenant: string
  detail: string
}

/** Shared budgets that are not what the ledger says of them. They belong to no run. */
export async function poolDifferences(db: Queryable): Promise<Difference[]> {
  const { rows } = await db.query<Row>({
    text: `select name, tenant, format('used is %s micro-dollars and %s tokens, the ledger says %s and %s', used_micro_usd, used_tokens, ledger_micro_usd, ledger_tokens) as detail
           from devflow.pools_and_ledger() where used_micro_usd <> ledger_micro_usd or used_tokens <> ledger_tokens order by id`,
  })
  return rows.map(({ name, tenant, detail }) => ({
    runId: '',
    table: 'budget_pools',
    detail: `${name} of ${tenant}: ${detail}`,
  }))
}

/** Makes them what the ledger says. Nobody reserves or settles meanwhile. */
export async function mendPools(db: Queryable): Promise<void> {
  await db.query({ text: 'select devflow.mend_pools()' })
}
