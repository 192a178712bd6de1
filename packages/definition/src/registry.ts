import type { Entry, ErrorDetail } from '@devflow/contracts'
import { canonicalHash } from './canonical.ts'
import { canonicalId, compareIds, compareVersions, idParts } from './entry-id.ts'
import { catalogFolder, loadFolder } from './load-folder.ts'
import type { ReadResult } from './read-entries.ts'

/** An entry in the registry under its canonical id (default namespace left out). */
export interface RegistryEntry<E extends Entry = Entry> {
  id: string
  /** SHA-256 over the canonical JSON of the entry as written. */
  hash: string
  entry: E
  /** The file it was read from, or whatever else it came by. */
  source: string
}

/** An entry as a registry holds it: under its canonical id, with the hash of its content. */
export function registryEntry<E extends Entry>(entry: E, source: string): RegistryEntry<E> {
  const own = { ...entry, id: canonicalId(entry.id) }
  return { id: own.id, hash: canonicalHash(own), entry: own, source }
}

export interface RegistryFilter {
  kind?: Entry['kind']
  namespace?: string
}

/**
 * Entries by id. A `name@version` never changes: content that differs from what is known under its id, from an
 * earlier start (`known`) or an earlier folder, is registered as `name@version+<hash8>`.
 */
export class Registry {
  /** What is wrong with the entries that were read; they are not in the registry. */
  readonly errors: ErrorDetail[]
  readonly #entries = new Map<string, RegistryEntry>()

  constructor(read: readonly ReadResult[], known: ReadonlyMap<string, string> = new Map()) {
    this.errors = read.flatMap((result) => result.errors)
    for (const result of read) this.#add(result, known)
  }

  #add(result: ReadResult, known: ReadonlyMap<string, string>): void {
    const here = new Map<string, string>()
    for (const { entry, source, line } of result.entries) {
      const own = registryEntry(entry, source)
      const { id, hash } = own
      const twin = here.get(id)
      if (twin !== undefined && twin !== hash) {
        const message = `${id} stands twice in the same folder, with different content (${source}:${line ?? 1})`
        this.errors.push({ path: 'id', message })
        continue
      }
      here.set(id, hash)
      const before = known.get(id) ?? this.#entries.get(id)?.hash
      const free = before === undefined || before === hash
      const pinned = free ? id : `${id}${id.includes('@') ? '' : '@0'}+${hash.slice(0, 8)}`
      this.#entries.set(pinned, { ...own, id: pinned, entry: { ...own.entry, id: pinned } })
    }
  }

  /**
   * An entry by id; without a version the highest one. Where a version is there only as changed copies
   * (`name@version+<hash8>`), the id finds the last of them.
   */
  get(id: string): RegistryEntry | undefined {
    const exact = this.#entries.get(canonicalId(id))
    const wanted = idParts(id)
    if (exact && wanted.version !== undefined) return exact
    const matches = [...this.#entries.values()].filter((candidate) => {
      const parts = idParts(candidate.id)
      if (parts.namespace !== wanted.namespace || parts.name !== wanted.name) return false
      return wanted.version === undefined || parts.version?.startsWith(`${wanted.version}+`) === true
    })
    return matches.sort((a, b) => compareVersions(idParts(b.id).version, idParts(a.id).version))[0]
  }

  /** The entry of just that id, where `get` would find the newest or a changed copy. */
  exact(id: string): RegistryEntry | undefined {
    return this.#entries.get(canonicalId(id))
  }

  /** These entries and others; where both have an id, the others count. */
  with(others: Iterable<RegistryEntry>): Registry {
    const all = new Registry([])
    all.errors.push(...this.errors)
    for (const entry of [...this.#entries.values(), ...others]) all.#entries.set(entry.id, entry)
    return all
  }

  /** Entries in the order of their ids, versions in natural order. */
  list(filter: RegistryFilter = {}): RegistryEntry[] {
    return [...this.#entries.values()]
      .filter(({ entry }) => filter.kind === undefined || entry.kind === filter.kind)
      .filter(({ id }) => filter.namespace === undefined || idParts(id).namespace === filter.namespace)
      .sort((a, b) => compareIds(a.id, b.id))
  }
}

/** Reads the built-in catalog and further folders, in this order. */
export async function readFolders(folders: readonly string[] = []): Promise<ReadResult[]> {
  const read: ReadResult[] = []
  for (const folder of [catalogFolder, ...folders]) read.push(await loadFolder(folder))
  return read
}

/** The registry of the built-in catalog and further folders. Errors are in `registry.errors`. */
export async function createRegistry({ folders }: { folders?: readonly string[] } = {}): Promise<Registry> {
  return new Registry(await readFolders(folders))
}

export function isKind<K extends Entry['kind']>(
  found: RegistryEntry | undefined,
  kind: K,
): found is RegistryEntry<Extract<Entry, { kind: K }>> {
  return found?.entry.kind === kind
}
