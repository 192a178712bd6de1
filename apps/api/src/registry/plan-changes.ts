import { setImmediate } from 'node:timers/promises'
import {
  type ChangeOp,
  DevflowError,
  EntryId,
  type ErrorDetail,
  type RegistryChange,
} from '@devflow/contracts'
import { canonicalId, checkEntry, pathUnder, type RegistryEntry, registryEntry } from '@devflow/definition'
import { MADE_OVER_HTTP, type RegistryState } from './live-registry.ts'

/** What a request wants of one entry. */
export interface Wanted {
  op: ChangeOp
  id: string
  /** Absent: it is to be deleted. */
  found?: RegistryEntry
}

/** A change that can be made; `found` is what there will be, or what is deleted. */
export interface Planned {
  op: ChangeOp
  found: RegistryEntry
}

const MOST_ERRORS = 50

/** Reads the entries of a request. Throws DevflowError INVALID `invalid_entry` with the path of every fault. */
export async function readChanges(changes: readonly RegistryChange[]): Promise<Wanted[]> {
  const errors: ErrorDetail[] = []
  const places = new Map<string, number>()
  const wanted: Wanted[] = []
  for (const [index, { op, entry }] of changes.entries()) {
    const at = `changes[${index}].entry`
    const read = op === 'delete' ? readId(entry) : readEntry(entry)
    if ('errors' in read) {
      errors.push(...read.errors.map(({ path, message }) => ({ path: pathUnder(at, path), message })))
      continue
    }
    const before = places.get(read.id)
    if (before === undefined) places.set(read.id, index)
    else errors.push({ path: `${at}.id`, message: `${read.id} is changed by changes[${before}] already` })
    wanted.push({ op, ...read })
    // To check a schema takes milliseconds, and there may be hundreds: others have their turn in between.
    await setImmediate()
  }
  if (errors.length > 0) throw invalidEntry(errors)
  return wanted
}

export function invalidEntry(errors: readonly ErrorDetail[]): DevflowError {
  const [first] = errors
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  const message = `${first?.path}: ${first?.message}${more}`
  return new DevflowError('INVALID', 'invalid_entry', message, { errors: errors.slice(0, MOST_ERRORS) })
}

type Read = { id: string; found?: RegistryEntry } | { errors: ErrorDetail[] }

function readId({ id }: RegistryChange['entry']): Read {
  const parsed = EntryId.safeParse(id)
  if (parsed.success) return { id: canonicalId(parsed.data) }
  return { errors: [{ path: 'id', message: 'expected the id of the entry to delete' }] }
}

function readEntry(entry: RegistryChange['entry']): Read {
  const checked = checkEntry(entry)
  if ('errors' in checked) return checked
  const found = registryEntry(checked.entry, MADE_OVER_HTTP)
  return { id: found.id, found }
}

/**
 * Holds what is wanted against what is there. `pins`: id → hash of what each `name@version` among them is pinned to.
 * Throws DevflowError NOT_FOUND `entry_not_found`, ALREADY_EXISTS `entry_exists`, CONFLICT `immutable_entry`,
 * `read_only_entry`.
 */
export function planChanges(
  state: RegistryState,
  pins: ReadonlyMap<string, string>,
  wanted: readonly Wanted[],
): Planned[] {
  return wanted.map(({ op, id, found }, index) => {
    const path = `changes[${index}].entry.id`
    const made = state.made.get(id)
    const fixed = state.folders.exact(id)
    if (found && pins.has(id) && pins.get(id) !== found.hash) throw immutableEntry(id, path)
    if (op === 'create' && found) {
      if (made || fixed) throw refusal('ALREADY_EXISTS', 'entry_exists', path, `${id} is there already`)
      return { op, found }
    }
    if (made) return { op, found: found ?? made }
    if (!fixed) throw refusal('NOT_FOUND', 'entry_not_found', path, `there is no entry ${id}`)
    const message = `${id} comes from a folder of the server: it is changed there, not over HTTP`
    throw refusal('CONFLICT', 'read_only_entry', path, message)
  })
}

export function immutableEntry(id: string, path: string): DevflowError {
  const message = `${id} has a version, so its content never changes: give what is new the next version`
  return refusal('CONFLICT', 'immutable_entry', path, message)
}

function refusal(
  kind: 'NOT_FOUND' | 'ALREADY_EXISTS' | 'CONFLICT',
  code: string,
  path: string,
  message: string,
): DevflowError {
  return new DevflowError(kind, code, `${path}: ${message}.`, { errors: [{ path, message }] })
}

/** The changes that make the registry what it was. */
export function planRestore(now: RegistryState, then: RegistryState): Planned[] {
  const back = [...then.made.values()].flatMap((found): Planned[] => {
    const made = now.made.get(found.id)
    if (made?.hash === found.hash) return []
    return [{ op: made ? 'update' : 'create', found }]
  })
  const gone = [...now.made.values()].filter(({ id }) => !then.made.has(id))
  return [...back, ...gone.map((found): Planned => ({ op: 'delete', found }))]
}
