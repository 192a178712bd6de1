import { z } from 'zod'
import { EntryId } from './ids.ts'

/** Text kinds have no schema: they hold what a person reads. */
export const TEXT_KINDS = ['markdown', 'text'] as const

/** What a phase makes: JSON that satisfies a schema, or a text. `path`: where in the workspace it may be written. */
export const TemplateArtifact = z
  .strictObject({
    schema: EntryId.optional(),
    kind: z.enum(['json', ...TEXT_KINDS]).optional(),
    path: z
      .string()
      .max(1000)
      .regex(/^(?!.*(?:^|\/)\.{0,2}(?:\/|$))[^\\\p{Cc}]+$/u, {
        error: 'expected a path inside the workspace, such as docs/spec.md',
      })
      .optional(),
  })
  .refine(({ schema, kind = 'json' }) => (schema !== undefined) === (kind === 'json'), {
    error: 'expected a schema, or kind: markdown or text',
    path: ['schema'],
  })
