import { z } from 'zod'
import type { Operations } from '../operation.ts'

/** The page of a run, which the Temporal UI links to. Where no console is, what it would show. */
export function pageRoutes(operations: Operations): void {
  operations.add(
    {
      method: 'get',
      path: '/runs/{id}',
      operationId: 'openRun',
      scope: 'any',
      summary: 'Open a run',
      description: 'The address of its page, for people. Without a console it leads to the run itself.',
      tag: 'runs',
      query: z.object({ gate: z.string().optional().describe('The gate to show.') }),
      answers: { 302: { description: 'The run is there.', headers: { Location: 'Where.' } } },
    },
    ({ c, params: { id = '' } }) => c.redirect(`/v1/runs/${encodeURIComponent(id)}`),
  )
}
