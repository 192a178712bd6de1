import { reportSchema } from '@devflow/contracts'
import { z } from 'zod'
import type { Operations } from '../operation.ts'

/** Where the schema of reports of this format is. */
export const REPORT_SCHEMA_PATH = '/schemas/report-1.json'

/** The schemas of documents that outlive their run and leave this API. */
export function schemaRoutes(operations: Operations): void {
  const schema = reportSchema()
  operations.add(
    {
      method: 'get',
      path: '/schemas/report-1.json',
      operationId: 'readReportSchema',
      scope: 'any',
      summary: 'Read the JSON Schema of reports',
      description:
        'JSON Schema 2020-12. It stays as it is, but for additions, as long as the format has its number.',
      tag: 'docs',
      answers: {
        200: { description: 'The schema.', schema: z.looseObject({}), example: { type: 'object' } },
      },
    },
    ({ c }) => c.json(schema),
  )
}
