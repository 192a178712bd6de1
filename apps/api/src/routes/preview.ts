import { lookAtSlot } from '@devflow/db'
import { RunPreviewBody, SubmitBody } from '../bodies.ts'
import type { ApiDeps } from '../deps.ts'
import { findRun } from '../find-run.ts'
import type { Operations } from '../operation.ts'
import { prepareRun } from '../prepare-run.ts'
import { previewRun } from '../preview/preview-run.ts'

export function previewRoutes(operations: Operations, deps: ApiDeps): void {
  const { pool, tenant } = deps

  operations.add(
    {
      method: 'post',
      path: '/v1/runs/preview',
      operationId: 'previewRun',
      scope: ['runs:read', 'runs:write'],
      summary: 'Preview a run and what it may cost',
      description:
        'Takes what `POST /v1/runs` takes, refuses what it refuses, starts nothing and writes nothing. Costs range from what the first calls cost at least to what prices and caps allow, or as earlier runs of the template have cost. `warnings` says what would stop the run.',
      tag: 'runs',
      body: SubmitBody,
      bodyExamples: {
        'The least': { template: 'spec-and-review@1', input: { request: 'Describe the migrations' } },
      },
      answers: { 200: { description: 'What the run would be.', schema: RunPreviewBody } },
      problems: [
        'invalid_input',
        'invalid_template',
        'plan_too_large',
        'binding_failed',
        'missing_key',
        'not_a_repository',
        'workspace_outside_roots',
        'template_not_found',
        'workspace_busy',
        'run_not_found',
        'run_deleted',
      ],
    },
    async ({ c, body, caller }) => {
      const prepared = await prepareRun(deps, body, caller.principal)
      if (body.parent) await findRun(pool, tenant, body.parent)
      if (prepared.submitted.workspace) await lookAtSlot(pool, tenant, prepared.submitted.workspace)
      return c.json(await previewRun(pool, tenant, prepared))
    },
  )
}
