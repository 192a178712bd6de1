import {
  DevflowError,
  type ErrorDetail,
  type PersonaEntry,
  type Provider,
  type Role,
} from '@devflow/contracts'
import { compareIds, compareText, idParts } from './entry-id.ts'
import { isKind, type Registry, type RegistryEntry } from './registry.ts'

export type Persona = RegistryEntry<PersonaEntry>
export type Bindings = ReadonlyMap<string, Persona>

export interface BindRequest {
  roles: Readonly<Record<string, Role>>
  /** Role → persona, chosen by whoever submits. */
  overrides: Readonly<Record<string, string>>
  /** Whether a key for the provider is at hand; absent: not asked. */
  hasKey: ((provider: Provider) => boolean) | undefined
}

/** The variable a provider's key is read from; providers that need none are not listed. */
const KEY_VARIABLES: Partial<Record<Provider, string>> = {
  openrouter: 'OPENROUTER_API_KEY',
  openai: 'OPENAI_API_KEY',
  anthropic: 'ANTHROPIC_API_KEY',
  google: 'GOOGLE_API_KEY',
}

/** Stand-ins that never play a role by themselves. */
const BY_NAME_ONLY: readonly Provider[] = ['offline', 'scripted', 'terminal']
const MAX_TRIES = 20_000

/**
 * Binds a persona to each role: the override, else the template's own, else by capability. Candidates are the newest
 * versions of the personas that have all capabilities, `openrouter` ones first, then by id; of all ways to give
 * the roles, in the order of their names, candidates that satisfy every `differentVendorFrom` the first is taken.
 * So the same roles, personas and overrides give the same bindings. Throws DevflowError INVALID `binding_failed`.
 */
export function bindRoles(registry: Registry, request: BindRequest): Bindings {
  const errors: ErrorDetail[] = []
  for (const role of Object.keys(request.overrides)) {
    if (!Object.hasOwn(request.roles, role)) {
      errors.push({ path: `bindings.${role}`, message: `the template has no role ${role}` })
    }
  }
  const personas = newestPersonas(registry)
  const names = Object.keys(request.roles).sort(compareText)
  const candidates = names.map((name) => candidatesFor(name, registry, personas, request, errors))
  if (errors.length > 0) throw bindingFailed(errors)
  const bound = search(names, candidates, request)
  if (bound) return bound
  throw bindingFailed(vendorErrors(names, candidates, request))
}

/** Vendors of a persona: the one it states, else those its model and fallbacks are named after. */
export function vendorsOf({ model }: PersonaEntry): [string, ...string[]] {
  if (model.vendor !== undefined) return [model.vendor]
  const vendor = (name: string) =>
    model.provider === 'openrouter' && name.includes('/') ? (name.split('/')[0] ?? name) : model.provider
  return [vendor(model.name), ...(model.fallbacks ?? []).map(vendor)]
}

function newestPersonas(registry: Registry): Persona[] {
  const all = registry.list({ kind: 'persona' }).filter((found) => isKind(found, 'persona'))
  const newest = new Map<string, Persona>()
  // In the list versions ascend, so the last one of a name stays.
  for (const persona of all) {
    const { namespace, name } = idParts(persona.id)
    newest.set(`${namespace}:${name}`, persona)
  }
  const rank = (persona: Persona) => (persona.entry.model.provider === 'openrouter' ? 0 : 1)
  return [...newest.values()].sort((a, b) => rank(a) - rank(b) || compareIds(a.id, b.id))
}

function candidatesFor(
  name: string,
  registry: Registry,
  personas: readonly Persona[],
  { roles, overrides, hasKey }: BindRequest,
  errors: ErrorDetail[],
): Persona[] {
  const role = roles[name] ?? {}
  const override = Object.hasOwn(overrides, name) ? overrides[name] : undefined
  const chosen = override ?? role.persona
  const keyless = (persona: Persona) =>
    KEY_VARIABLES[persona.entry.model.provider] !== undefined &&
    hasKey?.(persona.entry.model.provider) === false
  if (chosen !== undefined) {
    const path = override === undefined ? `roles.${name}.persona` : `bindings.${name}`
    const persona = registry.get(chosen)
    if (!isKind(persona, 'persona')) errors.push({ path, message: `there is no persona ${chosen}` })
    else if (keyless(persona)) errors.push({ path, message: keyMessage([persona]) })
    else return [persona]
    return []
  }
  const needed = role.capabilities ?? []
  const able = personas
    .filter(({ entry }) => !BY_NAME_ONLY.includes(entry.model.provider))
    .filter(({ entry }) => needed.every((capability) => entry.capabilities?.includes(capability)))
  const ready = able.filter((persona) => !keyless(persona))
  if (able.length === 0) {
    const what = needed.length > 0 ? `with the capabilities ${needed.join(', ')}` : 'to choose'
    errors.push({ path: `roles.${name}`, message: `there is no persona ${what}` })
  } else if (ready.length === 0) errors.push({ path: `roles.${name}`, message: keyMessage(able) })
  return ready
}

function keyMessage(personas: readonly Persona[]): string {
  const variables = new Set(personas.map(({ entry }) => KEY_VARIABLES[entry.model.provider]))
  const ids = personas.map(({ id }) => id).join(', ')
  const [provider, ...others] = new Set(personas.map(({ entry }) => entry.model.provider))
  const login = others.length === 0 ? `devflow login ${provider}` : 'devflow login'
  return `no key for ${ids}: set ${[...variables].join(' or ')}, or run ${login}, and start devflow up anew`
}

/** Depth first in the order of names and candidates, so the first solution is always the same one. */
function search(
  names: readonly string[],
  candidates: readonly Persona[][],
  request: BindRequest,
): Bindings | undefined {
  const bound = new Map<string, Persona>()
  let tries = 0
  const place = (index: number): boolean => {
    const name = names[index]
    if (name === undefined) return true
    for (const persona of candidates[index] ?? []) {
      tries += 1
      if (tries > MAX_TRIES) return false
      bound.set(name, persona)
      if (!clash(bound, request.roles) && place(index + 1)) return true
      bound.delete(name)
    }
    return false
  }
  return place(0) ? bound : undefined
}

/** A bound role whose vendors meet those of the bound role it must differ from. */
function clash(
  bound: Bindings,
  roles: BindRequest['roles'],
): [role: string, other: string, vendor: string] | undefined {
  for (const [role, persona] of bound) {
    const other = roles[role]?.differentVendorFrom
    const theirs = other === undefined ? undefined : bound.get(other)
    if (other === undefined || !theirs) continue
    const vendors = vendorsOf(theirs.entry)
    const vendor = vendorsOf(persona.entry).find((name) => vendors.includes(name))
    if (vendor !== undefined) return [role, other, vendor]
  }
  return undefined
}

/** Why no binding satisfies every `differentVendorFrom`, by the first choice for each role. */
function vendorErrors(
  names: readonly string[],
  candidates: readonly Persona[][],
  request: BindRequest,
): ErrorDetail[] {
  const first = new Map(
    names.flatMap((name, index) => (candidates[index]?.[0] ? [[name, candidates[index][0]] as const] : [])),
  )
  const found = clash(first, request.roles)
  if (!found) return [{ path: 'roles', message: 'no binding satisfies every differentVendorFrom' }]
  const [role, other, vendor] = found
  const path = Object.hasOwn(request.overrides, role)
    ? `bindings.${role}`
    : Object.hasOwn(request.overrides, other)
      ? `bindings.${other}`
      : `roles.${role}.differentVendorFrom`
  const message =
    `${role} must be of another vendor than ${other}, but ${first.get(role)?.id} and ${first.get(other)?.id}` +
    ` are both of ${vendor}, and no other personas fit`
  return [{ path, message }]
}

function bindingFailed(errors: ErrorDetail[]): DevflowError {
  const [first] = errors
  const message = first ? `${first.path}: ${first.message}` : 'roles cannot be bound'
  return new DevflowError('INVALID', 'binding_failed', message, { errors })
}
