import { z } from 'zod'
import { BUDGET_SCOPES } from './choices.ts'
import { Budget, BudgetPolicy } from './entries.ts'
import { EntryId } from './ids.ts'

export const BudgetScope = z.enum(BUDGET_SCOPES)
export type BudgetScope = z.infer<typeof BudgetScope>

/** A limit as it is set. `persona`: an id, or a name for all its versions; without one, every persona by itself. */
export const BudgetSetting = z.strictObject({
  scope: BudgetScope,
  persona: EntryId.optional(),
  ...Budget.shape,
  onExceeded: BudgetPolicy,
})
export type BudgetSetting = z.infer<typeof BudgetSetting>

/** What was charged to a budget on a UTC day. */
export const BudgetDay = z.object({
  day: z.iso.date(),
  persona: z.string().optional(),
  spentMicroUsd: z.number(),
  reservedMicroUsd: z.number(),
  spentTokens: z.int(),
  reservedTokens: z.int(),
})
export type BudgetDay = z.infer<typeof BudgetDay>

/** A limit, and today's charges: one where it is one pool, one a persona where each has its own. */
export const BudgetView = z.object({ ...BudgetSetting.shape, today: z.array(BudgetDay) })
export type BudgetView = z.infer<typeof BudgetView>

/** A run's own budget, and what was made of it. `raised`: how much of the limit came by gates. */
export const RunBudget = z.object({
  ...Budget.shape,
  spentMicroUsd: z.number(),
  reservedMicroUsd: z.number(),
  spentTokens: z.int(),
  reservedTokens: z.int(),
  raisedMicroUsd: z.number().optional(),
  raisedTokens: z.int().optional(),
})
export type RunBudget = z.infer<typeof RunBudget>
