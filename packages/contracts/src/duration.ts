import { z } from 'zod'

const PATTERN =
  /^P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/

/** ISO 8601 duration such as `PT30S` or `P3D`, at most a hundred years. */
export const IsoDuration = z
  .string()
  .regex(PATTERN, { error: 'expected an ISO 8601 duration such as PT30S or P3D' })
  .refine((text) => !(durationMs(text) > 100 * 366 * 86_400_000), { error: 'longer than a hundred years' })
export type IsoDuration = z.infer<typeof IsoDuration>

/**
 * Length of an ISO 8601 duration in milliseconds. A year counts 365 days and a month 30, for time spans
 * that are bounds and not calendar dates; NaN when the text is no duration.
 */
export function durationMs(text: string): number {
  const match = PATTERN.exec(text)
  if (!match) return Number.NaN
  const [years, months, weeks, days, hours, minutes, seconds] = match
    .slice(1)
    .map((part) => Number(part ?? 0))
  const wholeDays = (years ?? 0) * 365 + (months ?? 0) * 30 + (weeks ?? 0) * 7 + (days ?? 0)
  return (((wholeDays * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1000
}
