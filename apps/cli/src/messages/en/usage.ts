import type { UsageBy } from '@devflow/contracts'

export const usage = {
  /** What the first column holds. */
  titles: {
    model: 'MODEL',
    persona: 'PERSONA',
    day: 'DAY (UTC)',
    template: 'TEMPLATE',
    run: 'RUN',
    label: 'LABEL',
  } satisfies Record<UsageBy, string>,
  columns: { calls: 'CALLS', in: 'IN', cached: 'CACHED', out: 'OUT', cost: 'COST', open: 'NOT SETTLED' },
  none: 'No model was called.',
  unlabelled: (label: string) => `(without ${label})`,
  deleted: (run: string) => `${run} (deleted)`,
  atMost: (dollars: string) => `≤${dollars}`,
  total: (calls: number, dollars: string) => `${calls === 1 ? '1 call' : `${calls} calls`}, ${dollars}`,
  totalWithOpen: (calls: number, dollars: string, open: string) =>
    `${calls === 1 ? '1 call' : `${calls} calls`}, ${dollars}; up to ${open} not settled yet`,
}
