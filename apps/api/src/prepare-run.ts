import {
  type Budget,
  type Definition,
  DevflowError,
  type ErrorDetail,
  type SubmitRun,
} from '@devflow/contracts'
import type { Submitted } from '@devflow/db'
import { checkInput, pathUnder, planOf } from '@devflow/definition'
import type { Tracing } from '@devflow/process'
import { checkWorkspace } from './check-workspace.ts'
import { type CompileDeps, compiled } from './compiled.ts'
import type { LiveRegistry } from './registry/live-registry.ts'

export interface Prepared {
  definition: Definition
  submitted: Submitted
}

export interface PrepareDeps extends Omit<CompileDeps, 'registry'> {
  registry: Pick<LiveRegistry, 'current'>
  workspaceRoots: readonly string[]
  tracing?: Tracing | undefined
}

/**
 * A submission resolved into what its run will keep for life (I9). Throws DevflowError NOT_FOUND `template_not_found`,
 * INVALID `invalid_template`, `binding_failed`, `missing_key`, `invalid_input`, and what `checkWorkspace` throws.
 */
export async function prepareRun(deps: PrepareDeps, body: SubmitRun, actor: string): Promise<Prepared> {
  const { registry } = await deps.registry.current()
  const { definition, hash, bindings } = compiled({ ...deps, registry }, body)
  const { input = {} } = body
  const errors = checkInput(definition, input)
  if (errors.length > 0) throw invalidInput(errors)
  const workspace = body.workspace && (await checkWorkspace(body.workspace, deps.workspaceRoots))
  const budget: Budget = { ...definition.budget, ...body.budget }
  const traceparent = deps.tracing?.traceparent()
  const submitted: Submitted = {
    format: 1,
    template: definition.template,
    title: definition.title,
    definitionHash: hash,
    input,
    labels: body.labels ?? {},
    budget,
    ...(workspace ? { workspace } : {}),
    actor,
    ...(body.parent ? { parent: body.parent } : {}),
    bindings,
    ...(traceparent ? { traceparent } : {}),
    phases: planOf(definition).steps.map(({ id, kind }) => ({ id, kind })),
  }
  return { definition, submitted }
}

export function invalidInput(errors: ErrorDetail[]): DevflowError {
  const own = errors.map(({ path, message }) => ({ path: pathUnder('input', path), message }))
  const message = `The input is not what the template expects: ${own[0]?.path}: ${own[0]?.message}`
  return new DevflowError('INVALID', 'invalid_input', message, { errors: own })
}
