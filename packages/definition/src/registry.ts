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
  /** The file it was read from. */
  source: string
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
      const id = canonicalId(entry.id)
      const own = { ...entry, id }
      const hash = canonicalHash(own)
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
      this.#entries.set(pinned, { id: pinned, hash, entry: { ...own, id: pinned }, source })
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

  /** Entries in the order of their ids, versions in natural order. */
  list(filter: RegistryFilter = {}): RegistryEntry[] {
    return [...this.#entries.values()]
      .filter(({ entry }) => filter.kind === undefined || entry.kind === filter.kind)
      .filter(({ id }) => filter.namespace === undefined || idParts(id).namespace === filter.namespace)
      .sort((a, b) => compareIds(a.id, b.id))
  }
}

/** Reads the built-in catalog and further folders, in this order. Errors are in `registry.errors`. */
export async function createRegistry(
  options: { folders?: readonly string[]; catalog?: string; known?: ReadonlyMap<string, string> } = {},
): Promise<Registry> {
  const read: ReadResult[] = []
  for (const folder of [options.catalog ?? catalogFolder, ...(options.folders ?? [])]) {
    read.push(await loadFolder(folder))
  }
  return new Registry(read, options.known)
}

export function isKind<K extends Entry['kind']>(
  found: RegistryEntry | undefined,
  kind: K,
): found is RegistryEntry<Extract<Entry, { kind: K }>> {
  return found?.entry.kind === kind
}
