import { z } from 'zod'
import { RUN_ID } from './examples.ts'
import type { JsonSchema } from './json-schemas.ts'

const described = (description: string, example: string) => z.string().meta({ description, example })

/** What the parameters of a path mean, unless their operation says otherwise. */
export const PATH_PARAMETERS: Record<string, z.ZodType> = {
  id: described('The id of the run; opaque.', RUN_ID),
  gate: described('The id of the gate: that of its phase.', 'approve'),
  name: described('The name of the artifact.', 'spec'),
  page: described('The file of the page.', 'concepts.md'),
}

/** Headers in requests and answers, by name; others are any text. */
export const HEADERS: Record<string, JsonSchema> = {
  'Idempotency-Key': { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x20-\\x7e]+$' },
  Prefer: { type: 'string', pattern: '^wait=\\d{1,3}$', examples: ['wait=30'] },
  'Last-Event-ID': { type: 'string', examples: ['247'] },
  'Retry-After': { type: 'integer', minimum: 0 },
  ETag: { type: 'string', examples: ['"3495924f4b34799102a1f929bf51b4f4d73bcf09006868677012e01262faa3ce"'] },
  Location: { type: 'string', format: 'uri-reference', examples: [`/v1/runs/${RUN_ID}`] },
}
