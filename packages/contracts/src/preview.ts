import { z } from 'zod'
import { Budget } from './entries.ts'
import { Sha256 } from './ids.ts'

/** What a phase may cost. Money in micro-dollars; `high` is missing where nobody knows a price. */
export const PhaseEstimate = z.object({
  /** Input and output together, at most. */
  tokens: z.int(),
  microUsd: z.object({ low: z.number(), high: z.number().optional() }),
  /** How many finished runs of the template it comes from; missing: from prices and caps alone. */
  runs: z.int().optional(),
})
export type PhaseEstimate = z.infer<typeof PhaseEstimate>

export const PhasePreview = z.object({
  id: z.string(),
  kind: z.string(),
  persona: z.string().optional(),
  model: z.string().optional(),
  /** The phase that it is inside of. */
  inside: z.string().optional(),
  estimate: PhaseEstimate,
})
export type PhasePreview = z.infer<typeof PhasePreview>

/** Why a run of this submission may not come to its end; the codes are stable. */
export const PREVIEW_WARNINGS = [
  'unpriced_model',
  'budget_below_estimate',
  'token_budget_below_estimate',
  'shared_budget_spent',
  'shared_budget_below_estimate',
  'open_ended',
] as const
export const PreviewWarning = z.object({
  code: z.enum(PREVIEW_WARNINGS),
  message: z.string(),
  /** The run would stop there: it fails, or waits at a gate until somebody raises the budget. */
  blocks: z.boolean(),
  phase: z.string().optional(),
})
export type PreviewWarning = z.infer<typeof PreviewWarning>

/** What a submission would be, phase by phase, and what it may cost. */
export const RunPreview = z.object({
  definitionHash: Sha256,
  bindings: z.record(z.string(), z.string()),
  /** From top to bottom; phases inside others follow them. */
  phases: z.array(PhasePreview),
  /** Of all phases together, within the budget. */
  total: PhaseEstimate.omit({ runs: true }),
  /** As the run would have it. */
  budget: Budget,
  warnings: z.array(PreviewWarning),
})
export type RunPreview = z.infer<typeof RunPreview>
