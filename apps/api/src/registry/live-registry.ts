import { DevflowError } from '@devflow/contracts'
import { changedEntries, pinEntries, type Queryable, registryVersion } from '@devflow/db'
import {
  brokenTemplates,
  idParts,
  parseEntry,
  type ReadResult,
  Registry,
  type RegistryEntry,
} from '@devflow/definition'
import type { Logger } from '@devflow/process'

/** Where the entries of the registry come from that were made over HTTP. */
export const MADE_OVER_HTTP = 'registry'

/** The registry at one version. It never changes; a change makes another. */
export interface RegistryState {
  version: number
  /** The built-in catalog and the folders this process was started with. */
  folders: Registry
  /** What was made over HTTP, by id. */
  made: ReadonlyMap<string, RegistryEntry>
  /** Both: what is made over HTTP counts where both have an id. */
  registry: Registry
}

export interface LiveRegistryOptions {
  pool: Queryable
  tenant: string
  /** What the folders hold. */
  read: readonly ReadResult[]
  log: Pick<Logger, 'warn' | 'error'>
}

/**
 * The registry as it is now. Every question asks Postgres for the version, so a change that is committed counts for
 * the next submission, whichever process it comes to; what belongs to a version is read once.
 */
export class LiveRegistry {
  readonly #options: LiveRegistryOptions
  /** The folders as they are, whatever was known before. */
  readonly #seen: Registry
  #folders: Promise<Registry> | undefined
  #latest: RegistryState | undefined
  #reading: { version: number; state: Promise<RegistryState> } | undefined

  constructor(options: LiveRegistryOptions) {
    this.#options = options
    this.#seen = new Registry(options.read)
  }

  /** Says, also in the log, what the folders hold that is not valid, and which of their templates could not be run as things are. */
  async tellFaults(tell: (text: string) => void): Promise<void> {
    const { log } = this.#options
    for (const { path, message } of this.#seen.errors) {
      log.error({ path }, `an entry is not valid: ${message}`)
      tell(`an entry is not valid: ${path}: ${message}`)
    }
    const { folders, made, registry } = await this.current()
    const own = folders.list({ kind: 'template' }).filter(({ id }) => !made.has(id))
    const sources = new Map(own.map(({ id, source }) => [id, source]))
    for (const { id, errors } of await brokenTemplates(new Registry([]), registry, new Set(sources.keys())))
      for (const { path, message } of errors) {
        const text = `the template ${id} cannot be run: ${path}: ${message}`
        log.error({ path: sources.get(id) }, text)
        tell(`${text} (${sources.get(id)})`)
      }
  }

  /** The registry at its current version. */
  async current(): Promise<RegistryState> {
    const { pool, tenant } = this.#options
    const version = await registryVersion(pool, tenant)
    if (this.#latest?.version === version) return this.#latest
    if (this.#reading?.version === version) return await this.#reading.state
    const reading = { version, state: this.at(pool, version) }
    this.#reading = reading
    try {
      return await reading.state
    } finally {
      if (this.#reading === reading) this.#reading = undefined
    }
  }

  /** The registry at a version that is committed; `db` may be inside a transaction. */
  async at(db: Queryable, version: number): Promise<RegistryState> {
    if (this.#latest?.version === version) return this.#latest
    const folders = await this.#pinnedFolders()
    const made = await this.#madeAt(db, version)
    const state = { version, folders, made, registry: folders.with(made.values()) }
    // One that began earlier may end later.
    if (version >= (this.#latest?.version ?? 0)) this.#latest = state
    return state
  }

  /**
   * The folders, with each `name@version` that is not what it was when first seen as a copy beside it. Asked of the
   * pool and never in a caller's transaction: what is pinned must stay when that is undone.
   */
  async #pinnedFolders(): Promise<Registry> {
    this.#folders ??= this.#pinFolders()
    try {
      return await this.#folders
    } catch (error) {
      this.#folders = undefined
      throw error
    }
  }

  async #pinFolders(): Promise<Registry> {
    const { pool, tenant, read, log } = this.#options
    const versioned = this.#seen.list().filter(({ id }) => isPinned(id))
    const folders = new Registry(read, await pinEntries(pool, tenant, versioned))
    for (const { id, source } of folders.list()) {
      if (this.#seen.exact(id)) continue
      log.warn({ path: source }, `other content than before under the same version: it is ${id}`)
    }
    return folders
  }

  /** From the latest that is known where that is older: a change costs what it changes, however much there is. */
  async #madeAt(db: Queryable, version: number): Promise<Map<string, RegistryEntry>> {
    const { tenant, log } = this.#options
    const known = this.#latest && this.#latest.version <= version ? this.#latest : undefined
    const made = new Map(known?.made)
    for (const { id, hash, body } of await changedEntries(db, tenant, {
      after: known?.version ?? 0,
      to: version,
    })) {
      made.delete(id)
      if (body === null) continue
      const parsed = parseEntry(body)
      if ('entry' in parsed) made.set(id, { id, hash, entry: parsed.entry, source: MADE_OVER_HTTP })
      // Kept by a build that knew more, or less: the other entries count all the same.
      else log.error({}, `this build cannot read the entry ${id}: ${parsed.errors[0]?.message}`)
    }
    return made
  }
}

/** Whether an id has one content for ever: it has a version, and is no changed copy. */
export function isPinned(id: string): boolean {
  const { version } = idParts(id)
  return version !== undefined && !version.includes('+')
}

export function entryNotFound(id: string): DevflowError {
  return new DevflowError('NOT_FOUND', 'entry_not_found', `There is no entry ${id.slice(0, 200)}.`)
}
