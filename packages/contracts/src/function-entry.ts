import { z } from 'zod'
import { durationMs, IsoDuration } from './duration.ts'
import { EntryId } from './ids.ts'

const listOf = <T extends z.ZodType>(item: T) => z.array(item).max(100).optional()

/** What a function may touch outside itself: nothing unless named. */
export const FunctionPermissions = z.strictObject({
  /** Hosts: `api.example.com`, subdomains by `*.example.com`; ports 80 and 443 unless one is named. */
  net: listOf(
    z
      .string()
      .max(260)
      .regex(/^(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?$/, {
        error: 'expected a host such as api.example.com, with a port or without',
      }),
  ),
  env: listOf(
    z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, { error: 'expected the name of a variable' }),
  ),
  read: listOf(pathOutside()),
  write: listOf(pathOutside()),
})
export type FunctionPermissions = z.infer<typeof FunctionPermissions>

function pathOutside() {
  return z
    .string()
    .max(4096)
    .regex(/^\/(?!.*(?:^|\/)\.{1,2}(?:\/|$))[^*,\p{Cc}]*$/u, { error: 'expected an absolute path' })
}

/** Whether a function's `source` is a path beside its entry and not the code itself, which is of no use without an export. */
export const isSourcePath = (source: string): boolean =>
  !source.includes('\n') && (/\.m?[jt]s$/.test(source) || !/\bexport\b/.test(source))

/** What a function's entry says beside what every entry does. */
export const FunctionFields = {
  id: EntryId,
  /** TypeScript: in a folder the path of its file, anywhere the text itself. */
  source: z.string().min(1).max(500_000),
  timeout: IsoDuration.refine((text) => durationMs(text) > 0 && durationMs(text) <= 86_400_000, {
    error: 'expected more than nothing and at most a day',
  }).optional(),
  /** `external` unless told: it may run more than once, under the same idempotency key. */
  effects: z.enum(['none', 'external']).optional(),
  permissions: FunctionPermissions.optional(),
}
