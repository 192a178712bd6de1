import type { BudgetPolicy } from '@devflow/contracts'

export const budget = {
  columns: {
    scope: 'SCOPE',
    persona: 'PERSONA',
    limit: 'LIMIT',
    today: 'TODAY (UTC)',
    policy: 'AT THE LIMIT',
  },
  policies: {
    block: 'blocks',
    warn_continue: 'warns',
    prompt: 'asks',
  } satisfies Record<BudgetPolicy, string>,
  unpriced: 'lets unpriced models through',
  each: '(each)',
  tokens: (count: string) => `${count} tokens`,
  none: 'No budgets. A run may have one of its own: devflow run --budget',
}
