import { type ChildDefinition, DevflowError, type ErrorDetail, type TemplateEntry } from '@devflow/contracts'
import { compareText } from './entry-id.ts'
import { pathText } from './path.ts'
import { placesOf } from './places.ts'
import { isKind, type Registry, type RegistryEntry } from './registry.ts'

/** Runs inside runs; more are a mistake. */
const DEEPEST = 5

type Compile = (child: RegistryEntry<TemplateEntry>) => ChildDefinition

/**
 * The definitions of all templates that a template's workflow phases start, by the names they write. What is wrong with
 * one is wrong with the template that starts it; a child that could not be bound throws as it is.
 */
export function childrenOf(
  template: TemplateEntry,
  registry: Registry,
  chain: readonly string[],
  errors: ErrorDetail[],
  compile: Compile,
): Record<string, ChildDefinition> {
  const children = new Map<string, ChildDefinition>()
  for (const { node, path } of placesOf(template, new Map()).places) {
    if (!('workflow' in node.phase)) continue
    const name = node.phase.workflow.template
    const at = pathText([...path, 'workflow', 'template'])
    const found = registry.get(name)
    const way = [...chain, found?.id ?? name].join(' → ')
    if (!isKind(found, 'template')) errors.push({ path: at, message: `there is no template ${name}` })
    else if (chain.includes(found.id)) errors.push({ path: at, message: `starts itself: ${way}` })
    else if (chain.length >= DEEPEST)
      errors.push({ path: at, message: `is more than ${DEEPEST} runs deep: ${way}` })
    else if (!children.has(name)) {
      const child = compiled(found, at, errors, compile)
      if (child) children.set(name, child)
    }
  }
  return Object.fromEntries([...children].sort(([a], [b]) => compareText(a, b)))
}

function compiled(
  found: RegistryEntry<TemplateEntry>,
  at: string,
  errors: ErrorDetail[],
  compile: Compile,
): ChildDefinition | undefined {
  try {
    const { definition, hash, bindings } = compile(found)
    return { definition, hash, bindings }
  } catch (error) {
    if (!(error instanceof DevflowError) || error.code !== 'invalid_template') throw error
    const [first] = error.errors ?? []
    errors.push({ path: at, message: `${found.id}: ${first?.path}: ${first?.message}` })
    return undefined
  }
}

/** Of the bindings asked for, those for roles of this template; a name that no run of the tree knows stays, as an error. */
export function ownBindings(
  asked: Readonly<Record<string, string>>,
  roles: Readonly<Record<string, unknown>>,
  children: Readonly<Record<string, ChildDefinition>>,
  isChild: boolean,
): Record<string, string> {
  const known = rolesOf(children)
  return Object.fromEntries(
    Object.entries(asked).filter(([role]) => Object.hasOwn(roles, role) || (!isChild && !known.has(role))),
  )
}

function rolesOf(children: Readonly<Record<string, ChildDefinition>>): Set<string> {
  return new Set(
    Object.values(children).flatMap(({ definition }) => [
      ...Object.keys(definition.roles),
      ...rolesOf(definition.children ?? {}),
    ]),
  )
}
