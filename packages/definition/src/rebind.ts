import { type Definition, DevflowError, type ErrorDetail, type Phase } from '@devflow/contracts'
import { canonicalHash } from './canonical.ts'
import { type Compiled, type CompileRequest, compile } from './compile.ts'
import type { Registry } from './registry.ts'
import { listsIn } from './tree.ts'

/**
 * A pinned definition with other personas in some of its roles, compiled anew from the entries it was made of. Throws
 * CONFLICT `entries_changed` where the registry has them no more as they were pinned, `errors` naming each part; INVALID `missing_key`, and what
 * `compile` throws of bindings.
 */
export function rebind(
  registry: Registry,
  pinned: Definition,
  { bindings, hasKey }: Pick<CompileRequest, 'hasKey'> & { bindings: Record<string, string> },
): Compiled {
  const made = compiledLike(registry, pinned, { bindings, hasKey })
  const errors = changesIn(pinned, made.definition, new Set(Object.keys(bindings)))
  if (errors.length > 0) throw entriesChanged(pinned.template, errors)
  return made
}

function compiledLike(
  registry: Registry,
  pinned: Definition,
  { bindings, hasKey }: Pick<CompileRequest, 'hasKey'> & { bindings: Record<string, string> },
): Compiled {
  try {
    return compile(registry, {
      template: pinned.template,
      bindings: { ...bindingsOf(pinned), ...bindings },
      hasKey,
    })
  } catch (error) {
    if (!(error instanceof DevflowError)) throw error
    if (hasKey && canBind(registry, pinned, bindings))
      throw new DevflowError('INVALID', 'missing_key', error.message, { errors: error.errors, cause: error })
    // What was asked for is the caller's to mend; all else was fine when the run was submitted.
    const isTheirs = error.errors?.some(({ path }) =>
      Object.keys(bindings).some((role) => path === `bindings.${role}`),
    )
    if (isTheirs || error.code === 'plan_too_large') throw error
    if (error.code === 'template_not_found')
      throw entriesChanged(pinned.template, [
        { path: 'template', message: `there is no template ${pinned.template} any more` },
      ])
    throw entriesChanged(pinned.template, error.errors ?? [{ path: 'template', message: error.message }])
  }
}

/** Whether it binds where no key is asked for: then a key is all that is missing, and the message names its variable. */
function canBind(registry: Registry, pinned: Definition, bindings: Record<string, string>): boolean {
  try {
    compiledLike(registry, pinned, { bindings })
    return true
  } catch {
    // It fails for reasons of its own, which the first error tells.
    return false
  }
}

/** Role → persona, of a definition and the runs it starts. */
function bindingsOf({ roles, children = {} }: Definition): Record<string, string> {
  const inner = Object.values(children).map(({ definition }) => bindingsOf(definition))
  const own = Object.fromEntries(Object.entries(roles).map(([role, { id }]) => [role, id]))
  return Object.assign({}, ...inner, own)
}

function entriesChanged(template: string, errors: ErrorDetail[]): DevflowError {
  const message = `The run was made of entries that the registry has no more as they were: ${errors[0]?.path}: ${errors[0]?.message}. Fork it without bindings, or submit ${template} anew.`
  return new DevflowError('CONFLICT', 'entries_changed', message, { errors })
}

/** Names of the parts in which two definitions differ, but for who plays these roles. */
export function definitionChanges(a: Definition, b: Definition, roles: readonly string[]): string[] {
  return changesIn(a, b, new Set(roles)).map(({ path }) => path)
}

/** Parts of a definition that differ, but for the roles that were to. */
function changesIn(before: Definition, now: Definition, changed: ReadonlySet<string>): ErrorDetail[] {
  const [old, made] = [partsOf(before, changed), partsOf(now, changed)]
  const names = [...new Set([...old.keys(), ...made.keys()])]
  return names
    .filter((name) => old.get(name) !== made.get(name))
    .map((name) => ({
      path: name,
      message: made.has(name) ? 'is not what it was when the run was submitted' : 'is gone',
    }))
}

/** The hash of each part that a person can name. */
function partsOf(definition: Definition, changed: ReadonlySet<string>, path = ''): Map<string, string> {
  const { roles, children = {}, artifacts, phases, functions = {}, subagents: _, ...rest } = definition
  const parts = new Map<string, string>()
  const put = (name: string, value: unknown) => parts.set(path + name, canonicalHash(value))
  for (const [name, value] of Object.entries(rest)) put(name, value)
  for (const [role, persona] of Object.entries(roles)) if (!changed.has(role)) put(`roles.${role}`, persona)
  for (const [name, artifact] of Object.entries(artifacts)) put(`artifacts.${name}`, artifact)
  for (const [name, bound] of Object.entries(functions)) put(`functions.${name}`, bound)
  for (const phase of phases) put(`phases.${phase.id}`, withoutTools(phase, changed))
  for (const [name, child] of Object.entries(children))
    for (const [part, hash] of partsOf(child.definition, changed, `${path}children.${name}.`))
      parts.set(part, hash)
  return parts
}

/** Which tools a phase has depends on who plays it. */
function withoutTools(phase: Phase, changed: ReadonlySet<string>): unknown {
  const inside = listsIn(phase).map((list) => list.map((inner) => withoutTools(inner, changed)))
  if ('agent' in phase && changed.has(phase.agent.role)) {
    const { tools: _, ...agent } = phase.agent
    return { ...phase, agent }
  }
  return inside.length > 0 ? [withoutInside(phase), inside] : phase
}

function withoutInside(phase: Phase): unknown {
  if ('parallel' in phase) return { ...phase, parallel: { ...phase.parallel, branches: [] } }
  if ('map' in phase) return { ...phase, map: { ...phase.map, phases: [] } }
  return 'cycle' in phase ? { ...phase, cycle: { ...phase.cycle, phases: [] } } : phase
}
