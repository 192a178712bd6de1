import { z } from 'zod'
import { USAGE_BY } from './choices.ts'

export const CALL_STATUSES = ['reserved', 'settled', 'unsettled', 'failed', 'aborted'] as const
export const CallStatus = z.enum(CALL_STATUSES)
export type CallStatus = z.infer<typeof CallStatus>

/**
 * Where a cost comes from: the provider's own figure, a price list, or the reservation kept as an estimate. `reused`: it is
 * nothing, since the run that was forked has paid.
 */
export const CostSource = z.enum(['provider', 'pricing', 'estimate', 'reused'])
export type CostSource = z.infer<typeof CostSource>

/** One row of the ledger: one request to a provider, and what it cost. */
export const Call = z.object({
  id: z.string(),
  phase: z.string(),
  attempt: z.int(),
  turn: z.int(),
  persona: z.string(),
  provider: z.string(),
  model: z.string(),
  /** The one that answered; where none has, the one that was asked. */
  modelUsed: z.string(),
  status: CallStatus,
  reservedMicroUsd: z.number(),
  costMicroUsd: z.number().optional(),
  /** Without a cost `estimate`: until somebody says more, its reservation is all that is known. */
  costSource: CostSource,
  inputTokens: z.int().optional(),
  outputTokens: z.int().optional(),
  cachedTokens: z.int().optional(),
  reasoningTokens: z.int().optional(),
  generationId: z.string().optional(),
  latencyMs: z.number().optional(),
  at: z.iso.datetime(),
})
export type Call = z.infer<typeof Call>

/** What usage is summed by. `label`: by the values of one label. */
export const UsageBy = z.enum(USAGE_BY)
export type UsageBy = z.infer<typeof UsageBy>

/** What calls have used and cost together. Money in micro-dollars, exact: a sum may need more digits than a double has. */
export const UsageItem = z.object({
  /** The model, persona, UTC day, template, run or value; absent: runs that do not have the label. */
  key: z.string().optional(),
  /** Of a model. */
  provider: z.string().optional(),
  /** Of a run. */
  template: z.string().optional(),
  /** A run that was deleted: what it cost stays. */
  deleted: z.boolean().optional(),
  calls: z.int(),
  inputTokens: z.int(),
  outputTokens: z.int(),
  cachedTokens: z.int(),
  reasoningTokens: z.int(),
  costMicroUsd: z.number(),
  /** What calls without a known cost have reserved. */
  unsettledMicroUsd: z.number(),
})
export type UsageItem = z.infer<typeof UsageItem>
