import type { PriceListView } from '@devflow/client'
import type { Words } from '../../messages/words.ts'
import { age } from '../../terminal/quantities.ts'

/** How the reading of a price list stands, for people. */
export function listLines(
  { provider, refreshedAt, models = 0, leftOut = {}, error }: PriceListView,
  { pricing }: Words,
): string[] {
  const left = Object.entries(leftOut)
  const count = left.reduce((sum, [, n]) => sum + n, 0)
  return [
    ...(refreshedAt === undefined ? [] : [pricing.list(provider, models, age(refreshedAt))]),
    ...(count === 0 ? [] : [pricing.leftOut(count, left.map(([why, n]) => `${why} ${n}`).join(', '))]),
    ...(error === undefined ? [] : [pricing.failed(provider, error)]),
  ]
}
