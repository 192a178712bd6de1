import {
  type AgentPhase,
  type BoundPersona,
  type ChildDefinition,
  DEFINITION_FORMAT,
  type Definition,
  DevflowError,
  type ErrorDetail,
  type JsonSchema,
  type Phase,
  type Provider,
  type SchemaEntry,
  type TemplateEntry,
} from '@devflow/contracts'
import { bindRoles } from './bind-roles.ts'
import { type Cast, castOf } from './bound-persona.ts'
import { canonicalHash } from './canonical.ts'
import { templateErrors } from './check-template.ts'
import { childrenOf, ownBindings } from './children.ts'
import { compareText } from './entry-id.ts'
import { type BoundFunctions, functionsOf } from './functions.ts'
import { checkSchema } from './json-schema.ts'
import { planOf } from './plan.ts'
import { isKind, type Registry, type RegistryEntry } from './registry.ts'

export interface CompileRequest {
  /** A template's id; without a version the newest. */
  template: string
  /** Role → persona, over what would be bound automatically. */
  bindings?: Record<string, string>
  /** Whether a key for a provider is at hand: personas without one are not bound, naming one is an error. */
  hasKey?: (provider: Provider) => boolean
}

export interface Compiled {
  definition: Definition
  /** SHA-256 over the canonical JSON of the definition. */
  hash: string
  /** Role → the id of its persona. */
  bindings: Record<string, string>
}

type NamedSchema = RegistryEntry<SchemaEntry>

/**
 * Resolves a template with all it names into a frozen definition. The same entries and request give the same hash.
 * Throws DevflowError NOT_FOUND `template_not_found`, INVALID `invalid_template`, `binding_failed` or
 * `plan_too_large`; `errors` holds every fault with its path, in the template or in the request (`bindings.…`).
 */
export function compile(registry: Registry, request: CompileRequest): Compiled {
  const found = registry.get(request.template)
  if (!isKind(found, 'template')) {
    throw new DevflowError('NOT_FOUND', 'template_not_found', `there is no template ${request.template}`)
  }
  return compileEntry(registry, found, request)
}

/** `compile` of a template at hand. */
export function compileEntry(
  registry: Registry,
  found: RegistryEntry<TemplateEntry>,
  request: Omit<CompileRequest, 'template'> = {},
  within: readonly string[] = [],
): Compiled {
  const template = found.entry
  const errors: ErrorDetail[] = []
  const schemas = artifactSchemas(template, registry, errors)
  const artifacts = definedArtifacts(template, schemas)
  const contents = new Map(Object.entries(artifacts).map(([name, { jsonSchema }]) => [name, jsonSchema]))
  const functions = functionsOf(template, registry, errors)
  const outputs = new Map(Object.entries(functions).map(([name, { output }]) => [name, output]))
  errors.push(...templateErrors(template, contents, outputs))
  const chain = [...within, found.id]
  const children = childrenOf(template, registry, chain, errors, (child) =>
    compileEntry(registry, child, request, chain),
  )
  if (errors.length > 0) throw invalidTemplate(found.id, errors)

  const roles = template.roles ?? {}
  const overrides = ownBindings(request.bindings ?? {}, roles, children, within.length > 0)
  const bound = bindRoles(registry, { roles, overrides, hasKey: request.hasKey })
  const cast = castOf(registry, bound)
  const definition = freeze(found.id, template, { artifacts, functions, children }, cast)
  // A definition whose plan no workflow could take must not be accepted.
  planOf(definition)
  const bindings = Object.fromEntries([...bound].map(([role, { id }]) => [role, id]))
  return { definition, hash: canonicalHash(definition), bindings }
}

function invalidTemplate(id: string, errors: ErrorDetail[]): DevflowError {
  const [first] = errors
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  const message = `${id}: ${first?.path}: ${first?.message}${more}`
  return new DevflowError('INVALID', 'invalid_template', message, { errors })
}

function artifactSchemas(
  template: TemplateEntry,
  registry: Registry,
  errors: ErrorDetail[],
): Map<string, NamedSchema> {
  const schemas = new Map<string, NamedSchema>()
  for (const [name, { schema }] of Object.entries(template.artifacts ?? {})) {
    if (schema === undefined) continue
    const path = `artifacts.${name}.schema`
    const found = registry.get(schema)
    if (!isKind(found, 'schema')) {
      errors.push({ path, message: `there is no schema ${schema}` })
      continue
    }
    errors.push(
      ...checkSchema(found.entry.schema).map((fault) => ({
        path,
        message: `${found.id}: ${fault.path}: ${fault.message}`,
      })),
    )
    schemas.set(name, found)
  }
  return schemas
}

/** The value of an artifact of a text kind. */
const SOME_TEXT: JsonSchema = { type: 'string', minLength: 1 }

/** Those whose schema there is, in the order of their names. */
function definedArtifacts(
  template: TemplateEntry,
  schemas: ReadonlyMap<string, NamedSchema>,
): Definition['artifacts'] {
  const artifacts: Definition['artifacts'] = {}
  for (const [name, { kind, path }] of Object.entries(template.artifacts ?? {}).sort(byName)) {
    const found = schemas.get(name)
    const place = path === undefined ? {} : { path }
    if (found) artifacts[name] = { schema: found.id, jsonSchema: found.entry.schema, ...place }
    else if (kind === 'markdown' || kind === 'text')
      artifacts[name] = { jsonSchema: SOME_TEXT, kind, ...place }
  }
  return artifacts
}

/** What a template names, resolved. */
interface Resolved {
  artifacts: Definition['artifacts']
  functions: BoundFunctions
  children: Record<string, ChildDefinition>
}

function freeze(
  id: string,
  template: TemplateEntry,
  { artifacts, functions, children }: Resolved,
  { roles, subagents }: Cast,
): Definition {
  const definition: Definition = {
    format: DEFINITION_FORMAT,
    template: id,
    title: template.title ?? id,
    input: template.input ?? {},
    roles,
    ...(subagents ? { subagents } : {}),
    artifacts,
    ...(template.budget ? { budget: template.budget } : {}),
    ...(Object.keys(functions).length > 0 ? { functions } : {}),
    phases: template.phases.map((phase) => frozenPhase(phase, roles)),
    ...(template.output === undefined ? {} : { output: template.output }),
    ...(Object.keys(children).length > 0 ? { children } : {}),
  }
  // A copy: what the registry holds may be shared by many definitions, and zod leaves undefined fields behind.
  return JSON.parse(JSON.stringify(definition)) as Definition
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return compareText(a, b)
}

function frozenPhase(phase: Phase, roles: Readonly<Record<string, BoundPersona>>): Phase {
  const frozen = (list: readonly Phase[]) => list.map((inner) => frozenPhase(inner, roles))
  if ('parallel' in phase)
    return { ...phase, parallel: { ...phase.parallel, branches: phase.parallel.branches.map(frozen) } }
  if ('map' in phase) return { ...phase, map: { ...phase.map, phases: frozen(phase.map.phases) } }
  if ('cycle' in phase) return { ...phase, cycle: { ...phase.cycle, phases: frozen(phase.cycle.phases) } }
  if (!('agent' in phase)) return phase
  return {
    ...phase,
    agent: { ...phase.agent, tools: toolsOf(phase.agent, roles[phase.agent.role]?.tools ?? []) },
  }
}

/** A phase narrows its persona's tools; only `complete`, by which an agent ends its work, need not be named. */
function toolsOf({ tools: wanted }: AgentPhase, has: readonly string[]): AgentPhase['tools'] {
  const all = has as NonNullable<AgentPhase['tools']>
  return wanted === undefined ? all : all.filter((tool) => tool === 'complete' || wanted.includes(tool))
}
