import { USAGE_BY, UsageItem } from '@devflow/contracts'
import { readUsage, type UsageSum } from '@devflow/db'
import { z } from 'zod'
import { UsagePage } from '../bodies.ts'
import { CSV, CSV_NOTE, csvResponse, wantsCsv } from '../csv.ts'
import type { ApiDeps } from '../deps.ts'
import { exactNumber } from '../exact-number.ts'
import type { Operations } from '../operation.ts'
import { momentOf, paging } from '../query.ts'

const MOST = 1_000

/** Rows of a CSV that are read at once. */
const CSV_PAGE = 10_000

const query = z
  .strictObject({
    by: z.enum(USAGE_BY).describe('What the items are: one for each model, persona, UTC day, …'),
    label: z
      .string()
      .min(1)
      .max(63)
      .optional()
      .describe('With `by=label`: the label whose values are meant.'),
    from: momentOf('start').optional().describe('Calls from this day or time on.'),
    to: momentOf('end').optional().describe('Calls up to the end of this day, or before this time.'),
    ...paging(100, MOST),
  })
  .refine(({ by, label }) => by !== 'label' || label !== undefined, {
    path: ['label'],
    error: 'is required with by=label',
  })
  .refine(({ by, label }) => by === 'label' || label === undefined, {
    path: ['label'],
    error: 'goes with by=label alone',
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, {
    path: ['to'],
    error: 'expected a time after from',
  })

const columns = Object.keys(UsageItem.shape) as (keyof UsageItem)[]

export function usageRoutes(operations: Operations, { pool, tenant }: ApiDeps): void {
  operations.add(
    {
      method: 'get',
      path: '/v1/usage',
      operationId: 'readUsage',
      scope: 'runs:read',
      summary: 'Sum what was used and what it cost',
      description: `The sums are those of the ledger, exactly, also over runs that were deleted since. A call counts at the time of its reservation; days are UTC. Days and runs come newest first, all else in the order of its text. ${CSV_NOTE}`,
      tag: 'money',
      query,
      answers: {
        200: {
          description: 'A page of sums.',
          schema: UsagePage,
          other: { [CSV]: 'All sums, a line each.' },
        },
      },
      problems: ['bad_cursor'],
    },
    async ({ c, query: { cursor, limit, ...asked } }) => {
      const read = (page: { cursor?: string; limit: number }) => readUsage(pool, { tenant, ...asked }, page)
      if (wantsCsv(c)) {
        const next = (at: string | undefined) =>
          read({ limit: CSV_PAGE, ...(at === undefined ? {} : { cursor: at }) })
        return await csvResponse<UsageSum>(c, { name: `usage-by-${asked.by}`, columns }, next)
      }
      const { items, ...rest } = await read({ cursor, limit })
      return c.json({ items: items.map(exact), ...rest })
    },
  )
}

const exact = (item: UsageSum) => ({
  ...item,
  costMicroUsd: exactNumber(item.costMicroUsd),
  unsettledMicroUsd: exactNumber(item.unsettledMicroUsd),
})
