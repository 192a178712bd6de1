import type {
  ChangeRegistry,
  EntryKind,
  RegistryChanged,
  RegistryEntrySummary,
  RegistryEntryView,
  RegistryVersion,
  RestoreRegistry,
} from '@devflow/contracts'
import { type Listing, listing } from './listing.ts'
import type { CallOptions, PostOptions } from './options.ts'
import { path, queryOf } from './paths.ts'
import type { Transport } from './transport.ts'
import type { PageQuery } from './types.ts'

export interface EntryQuery extends PageQuery {
  kind?: EntryKind
  namespace?: string
  /** What an entry must have in its `meta`, all of it. */
  meta?: Record<string, string>
}

/** The registry: templates, personas and schemas, built in, from folders, or made over HTTP. */
export class Registry {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** The current version of the registry: what a change can be based on. */
  async version(options?: CallOptions): Promise<number> {
    const where = `/v1/registry/entries${queryOf({ limit: 1 })}`
    const page = await this.#transport.json<{ version: number }>({ method: 'GET', path: where, ...options })
    return page.version
  }

  /** Entries in the order of their ids, without their content. */
  list({ meta = {}, ...query }: EntryQuery = {}, options?: CallOptions): Listing<RegistryEntrySummary> {
    const wanted = Object.entries(meta).map(([name, value]) => [`meta.${name}`, value])
    return listing(
      this.#transport,
      '/v1/registry/entries',
      { ...query, ...Object.fromEntries(wanted) },
      options,
    )
  }

  /** An entry with its content; without a version, and where no entry has just that id, the newest. */
  async show(id: string, options?: CallOptions): Promise<RegistryEntryView> {
    return await this.#transport.json({ method: 'GET', path: path`/v1/registry/entries/${id}`, ...options })
  }

  /**
   * Changes entries, all or none. Rejects with ConflictError `stale_base` when the registry is no longer at
   * `baseVersion`, and with ValidationError when an entry is wrong or a template would break; `errors` says where.
   */
  async change(change: ChangeRegistry, options?: PostOptions): Promise<RegistryChanged> {
    return await this.#transport.post('/v1/registry/changes', change, options)
  }

  /** Who changed what when, newest first. */
  versions(query: PageQuery = {}, options?: CallOptions): Listing<RegistryVersion> {
    return listing(this.#transport, '/v1/registry/versions', { ...query }, options)
  }

  /** Makes the registry what it was at a version, as a new one; 0 is the registry before its first change. */
  async restore(
    version: number,
    restore: RestoreRegistry = {},
    options?: PostOptions,
  ): Promise<RegistryChanged> {
    return await this.#transport.post(
      path`/v1/registry/versions/${String(version)}/restore`,
      restore,
      options,
    )
  }
}
