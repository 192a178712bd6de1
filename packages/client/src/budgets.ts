import type { BudgetSetting, BudgetView } from '@devflow/contracts'
import type { CallOptions } from './options.ts'
import type { Transport } from './transport.ts'

/** Budgets of the tenant and over all: what runs may spend by day, and by default each. */
export class Budgets {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** The budgets in the order they were set, with what was charged to each today (UTC). */
  async list(options?: CallOptions): Promise<BudgetView[]> {
    const { items } = await this.#transport.json<{ items: BudgetView[] }>({
      method: 'GET',
      path: '/v1/budgets',
      ...options,
    })
    return items
  }

  /** Replaces all of them: what is not among these is no more. */
  async set(budgets: readonly BudgetSetting[], options?: CallOptions): Promise<BudgetView[]> {
    const { items } = await this.#transport.put<{ items: BudgetView[] }>('/v1/budgets', budgets, options)
    return items
  }
}
