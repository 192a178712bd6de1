import { RunDiff } from '@devflow/contracts'
import { z } from 'zod'
import { named } from '../bodies.ts'
import type { ApiDeps } from '../deps.ts'
import { diffRuns } from '../diff/diff-runs.ts'
import { DIFF } from '../diff/example.ts'
import { RUN_ID } from '../examples.ts'
import { findRun, NO_RUN } from '../find-run.ts'
import type { Operations } from '../operation.ts'

const DiffQuery = z.strictObject({
  with: z.string().min(1).max(200).meta({ description: 'The id of the other run, `b`.', example: RUN_ID }),
})

export function diffRoutes(operations: Operations, { pool, tenant }: ApiDeps): void {
  operations.add(
    {
      method: 'get',
      path: '/v1/runs/{id}/diff',
      operationId: 'diffRuns',
      scope: 'runs:read',
      summary: 'Compare two runs',
      description:
        'What differs between this run (`a`) and another (`b`): input, definition, phases with what they took, artifacts, outcome. Of JSON each place that differs, of text a unified diff.',
      tag: 'runs',
      query: DiffQuery,
      answers: {
        200: { description: 'What differs.', schema: named('RunDiff', RunDiff.shape, DIFF) },
      },
      problems: NO_RUN,
    },
    async ({ c, params: { id = '' }, query }) => {
      for (const run of [id, query.with]) await findRun(pool, tenant, run)
      return c.json(await diffRuns(pool, tenant, id, query.with))
    },
  )
}
