import { DevflowError, type ErrorDetail, type RegistryChanged } from '@devflow/contracts'
import { commitRegistry, lockRegistry, pinEntries, pinsOf, type Queryable } from '@devflow/db'
import { type BrokenTemplate, brokenTemplates, pathUnder } from '@devflow/definition'
import { isPinned, type LiveRegistry, type RegistryState } from './live-registry.ts'
import {
  immutableEntry,
  invalidEntry,
  type Planned,
  planChanges,
  planRestore,
  type Wanted,
} from './plan-changes.ts'

export interface ChangeDeps {
  registry: LiveRegistry
  tenant: string
}

interface Asked {
  actor: string
  /** The version the caller looked at. */
  baseVersion: number | undefined
}

/** Where in a request an entry stands; undefined where it does not stand there. */
type PlaceOf = (id: string) => string | undefined

/**
 * Changes the registry inside a transaction, one caller after another. Throws DevflowError CONFLICT `stale_base`,
 * INVALID `invalid_entry`, `breaks_template`, and what `planChanges` throws.
 */
export async function changeRegistry(
  deps: ChangeDeps,
  db: Queryable,
  { actor, baseVersion, wanted }: Asked & { wanted: readonly Wanted[] },
): Promise<RegistryChanged> {
  const state = await lockedState(deps, db, baseVersion)
  const versioned = wanted.map(({ id }) => id).filter(isPinned)
  const planned = planChanges(state, await pinsOf(db, deps.tenant, versioned), wanted)
  const places = new Map(wanted.map(({ id }, index) => [id, `changes[${index}].entry`]))
  return await commit(deps, db, { actor, state, planned, placeOf: (id) => places.get(id) })
}

/**
 * Makes a new version that is what version `to` was. Throws DevflowError NOT_FOUND `version_not_found` beside what
 * `changeRegistry` throws.
 */
export async function restoreRegistry(
  deps: ChangeDeps,
  db: Queryable,
  { actor, baseVersion, to }: Asked & { to: number },
): Promise<RegistryChanged> {
  const state = await lockedState(deps, db, baseVersion)
  if (to > state.version) {
    throw new DevflowError('NOT_FOUND', 'version_not_found', `The registry has no version ${to}.`)
  }
  const planned = planRestore(state, await deps.registry.at(db, to))
  return await commit(deps, db, { actor, state, planned, placeOf: () => undefined, restoredFrom: to })
}

async function lockedState(
  { registry, tenant }: ChangeDeps,
  db: Queryable,
  baseVersion: number | undefined,
): Promise<RegistryState> {
  const version = await lockRegistry(db, tenant)
  if (baseVersion === undefined || baseVersion === version) return await registry.at(db, version)
  const message = `The registry is at version ${version}, not ${baseVersion}: look again, then send the change anew.`
  const errors = [{ path: 'baseVersion', message: `the current version is ${version}` }]
  throw new DevflowError('CONFLICT', 'stale_base', message, { errors })
}

interface Commit {
  actor: string
  state: RegistryState
  planned: readonly Planned[]
  placeOf: PlaceOf
  restoredFrom?: number
}

async function commit(
  { tenant }: ChangeDeps,
  db: Queryable,
  { actor, state, planned, placeOf, restoredFrom }: Commit,
): Promise<RegistryChanged> {
  await refuseBroken(state, planned, placeOf)
  const kept = planned
    .filter(({ op, found }) => op !== 'delete' && isPinned(found.id))
    .map(({ found }) => found)
  const pins = await pinEntries(db, tenant, kept)
  // A process with other folders may have pinned the id since it was looked at.
  const late = kept.find(({ id, hash }) => pins.get(id) !== hash)
  if (late) throw immutableEntry(late.id, `${placeOf(late.id) ?? `entries[${late.id}]`}.id`)
  const version = state.version + 1
  const applied = planned.map(({ op, found: { id, hash, entry } }) => ({ op, id, kind: entry.kind, hash }))
  const changes = planned.map(({ op, found }, index) => ({
    ...(applied[index] as (typeof applied)[number]),
    ...(op === 'delete' ? {} : { body: found.entry }),
  }))
  await commitRegistry(db, { tenant, version, actor, restoredFrom, changes })
  return { version, applied }
}

async function refuseBroken(
  state: RegistryState,
  planned: readonly Planned[],
  placeOf: PlaceOf,
): Promise<void> {
  const made = new Map(state.made)
  for (const { op, found } of planned) {
    if (op === 'delete') made.delete(found.id)
    else made.set(found.id, found)
  }
  const changed = new Set(planned.map(({ found }) => found.id))
  const broken = await brokenTemplates(state.registry, state.folders.with(made.values()), changed)
  const [first] = broken
  if (!first) return
  const own = broken.flatMap((template) => errorsAt(placeOf(template.id), template))
  if (own.length > 0) throw invalidEntry(own)
  const errors = broken.flatMap((template) => errorsAt(`entries[${template.id}]`, template)).slice(0, 50)
  const message = `${first.id} would no longer compile: ${errors[0]?.path}: ${errors[0]?.message}`
  throw new DevflowError('INVALID', 'breaks_template', message, { errors })
}

const errorsAt = (place: string | undefined, { errors }: BrokenTemplate): ErrorDetail[] =>
  place === undefined ? [] : errors.map(({ path, message }) => ({ path: pathUnder(place, path), message }))
