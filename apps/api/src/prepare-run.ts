import {
  type Budget,
  DevflowError,
  type ErrorDetail,
  type Provider,
  type SubmitRun,
} from '@devflow/contracts'
import type { Submitted } from '@devflow/db'
import { type Compiled, checkInput, compile, planOf, type Registry } from '@devflow/definition'
import { checkWorkspace } from './check-workspace.ts'

export interface Prepared {
  definition: Compiled['definition']
  submitted: Submitted
}

export interface PrepareDeps {
  registry: Registry
  hasKey: (provider: Provider) => boolean
  workspaceRoots: readonly string[]
}

/**
 * A submission resolved into what its run will keep for life (I9). Throws DevflowError NOT_FOUND `template_not_found`,
 * INVALID `invalid_template`, `binding_failed`, `missing_key`, `invalid_input`, and what `checkWorkspace` throws.
 */
export async function prepareRun(deps: PrepareDeps, body: SubmitRun, actor: string): Promise<Prepared> {
  const { definition, hash, bindings } = compileFor(deps, body)
  const input = body.input ?? {}
  const errors = checkInput(definition, input)
  if (errors.length > 0) throw invalidInput(errors)
  if (body.workspace) await checkWorkspace(body.workspace, deps.workspaceRoots)
  const budget: Budget = { ...definition.budget, ...body.budget }
  const submitted: Submitted = {
    format: 1,
    template: definition.template,
    title: definition.title,
    definitionHash: hash,
    input,
    labels: body.labels ?? {},
    budget,
    ...(body.workspace ? { workspace: body.workspace } : {}),
    actor,
    ...(body.parent ? { parent: body.parent } : {}),
    bindings,
    phases: planOf(definition).steps.map(({ id, kind }) => ({ id, kind })),
  }
  return { definition, submitted }
}

function compileFor({ registry, hasKey }: PrepareDeps, { template, bindings }: SubmitRun): Compiled {
  try {
    return compile(registry, { template, bindings, hasKey })
  } catch (error) {
    if (
      error instanceof DevflowError &&
      error.code === 'binding_failed' &&
      canBind(registry, template, bindings)
    ) {
      // With keys it would bind: so a key is what is missing, and the messages name its variable.
      throw new DevflowError('INVALID', 'missing_key', error.message, { errors: error.errors, cause: error })
    }
    throw error
  }
}

function canBind(registry: Registry, template: string, bindings: SubmitRun['bindings']): boolean {
  try {
    compile(registry, { template, bindings })
    return true
  } catch {
    return false
  }
}

function invalidInput(errors: ErrorDetail[]): DevflowError {
  const own = errors.map(({ path, message }) => ({
    path: path === '' ? 'input' : path.startsWith('[') ? `input${path}` : `input.${path}`,
    message,
  }))
  const message = `The input is not what the template expects: ${own[0]?.path}: ${own[0]?.message}`
  return new DevflowError('INVALID', 'invalid_input', message, { errors: own })
}
