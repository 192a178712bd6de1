import { setImmediate } from 'node:timers/promises'
import { DevflowError, type ErrorDetail, type Phase, type TemplateEntry } from '@devflow/contracts'
import { compileEntry } from './compile.ts'
import { idParts } from './entry-id.ts'
import { isKind, type Registry, type RegistryEntry } from './registry.ts'
import { listsIn } from './tree.ts'

/** A template that would not compile; paths lead into it. */
export interface BrokenTemplate {
  id: string
  errors: ErrorDetail[]
}

/**
 * What a change of the registry would break. A changed template must be right, and what it names must be there;
 * whether its roles can be bound by capability is only known when it is submitted, with what bindings say. Another
 * template that a changed entry can reach must still compile, if it did.
 */
export async function brokenTemplates(
  before: Registry,
  after: Registry,
  changed: ReadonlySet<string>,
): Promise<BrokenTemplate[]> {
  const broken: BrokenTemplate[] = []
  const reached = reachedBy(changed, [before, after])
  for (const template of templatesOf(after)) {
    if (!changed.has(template.id) && !reached(template.entry)) continue
    const { errors, code } = compileErrors(after, template)
    const counted = changed.has(template.id)
      ? errors.filter(({ path }) => code !== 'binding_failed' || !isBinding(path))
      : compileErrors(before, template).errors.length === 0
        ? errors
        : []
    if (counted.length > 0) broken.push({ id: template.id, errors: counted })
    // Each takes milliseconds, and there may be hundreds: others have their turn in between.
    await setImmediate()
  }
  return broken
}

const templatesOf = (registry: Registry): RegistryEntry<TemplateEntry>[] =>
  registry.list({ kind: 'template' }).filter((found) => isKind(found, 'template'))

/** A role that cannot be bound by itself; one whose named persona is missing has the path `roles.<name>.persona`. */
const isBinding = (path: string): boolean => /^roles(\.[^.]+)?(\.differentVendorFrom)?$/.test(path)

function compileErrors(
  registry: Registry,
  template: RegistryEntry<TemplateEntry>,
): { errors: ErrorDetail[]; code?: string } {
  try {
    compileEntry(registry, template)
    return { errors: [] }
  } catch (error) {
    if (!(error instanceof DevflowError)) throw error
    return { errors: error.errors ?? [{ path: 'phases', message: error.message }], code: error.code }
  }
}

/** Whether a template names a changed entry, of whatever version, or chooses among changed personas. */
function reachedBy(
  changed: ReadonlySet<string>,
  registries: readonly Registry[],
): (template: TemplateEntry) => boolean {
  const nameOf = (id: string) => `${idParts(id).namespace}:${idParts(id).name}`
  const names = new Set([...changed].map(nameOf))
  const changesPersonas = [...changed].some((id) =>
    registries.some((registry) => registry.exact(id)?.entry.kind === 'persona'),
  )
  const itself = ({ artifacts = {}, roles = {} }: TemplateEntry): boolean =>
    Object.values(artifacts).some(({ schema }) => schema !== undefined && names.has(nameOf(schema))) ||
    Object.values(roles).some(({ persona }) =>
      persona === undefined ? changesPersonas : names.has(nameOf(persona)),
    )
  const reaches = (template: TemplateEntry, seen: ReadonlySet<string>): boolean =>
    itself(template) ||
    calledBy(template.phases).some((name) => names.has(nameOf(name))) ||
    startedBy(template.phases).some(
      (id) =>
        names.has(nameOf(id)) ||
        registries.some((registry) => {
          const child = registry.get(id)
          return (
            isKind(child, 'template') &&
            !seen.has(child.id) &&
            reaches(child.entry, new Set([...seen, child.id]))
          )
        }),
    )
  return (template) => reaches(template, new Set())
}

/** The functions that phases call, and what undoes them. */
const calledBy = (phases: readonly Phase[]): string[] =>
  phases.flatMap((phase) => [
    ...('function' in phase ? [phase.function.name] : []),
    ...(phase.compensate ? [phase.compensate.function] : []),
    ...calledBy(listsIn(phase).flat()),
  ])

/** The templates that workflow phases name, however deep. */
const startedBy = (phases: readonly Phase[]): string[] =>
  phases.flatMap((phase) =>
    'workflow' in phase ? [phase.workflow.template] : startedBy(listsIn(phase).flat()),
  )
