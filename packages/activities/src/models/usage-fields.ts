import { z } from 'zod'
import type { ModelUsage } from './model.ts'

/** A count of tokens, or not said: anything else is not said. */
export const count = z.int().nonnegative().nullish().catch(undefined)

/** Drops the fields that are null or undefined: what is not said is unknown, never zero. */
export function known(usage: { [Field in keyof ModelUsage]?: number | null | undefined }): ModelUsage {
  return Object.fromEntries(
    Object.entries(usage).filter(([, value]) => value !== null && value !== undefined),
  ) as ModelUsage
}
