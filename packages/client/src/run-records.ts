import type { AuditItem, Call, Report } from '@devflow/contracts'
import { type Listing, listing } from './listing.ts'
import type { CallOptions } from './options.ts'
import { path, queryOf } from './paths.ts'
import { CSV, type Transport } from './transport.ts'
import type { ArtifactPage, PageQuery } from './types.ts'

/** An artifact's bytes, and what they are. */
export interface ArtifactContent {
  mediaType: string
  /** Hex, of the bytes. */
  sha256: string
  bytes: Uint8Array
  text(): string
  json(): unknown
}

/** What a run leaves behind. */
export class RunRecords {
  protected readonly transport: Transport

  constructor(transport: Transport) {
    this.transport = transport
  }

  /** The artifacts of a run, all versions. */
  async artifacts(id: string, options?: CallOptions): Promise<ArtifactPage> {
    return await this.transport.json({ method: 'GET', path: path`/v1/runs/${id}/artifacts`, ...options })
  }

  /** An artifact's content, of its latest version unless told. */
  async artifact(
    id: string,
    name: string,
    { version, ...options }: CallOptions & { version?: number } = {},
  ): Promise<ArtifactContent> {
    const where = path`/v1/runs/${id}/artifacts/${name}` + queryOf({ version })
    const request = { method: 'GET', path: where, headers: { accept: '*/*' }, ...options } as const
    return await this.transport.send(request, contentOf)
  }

  /** The report of a run. Rejects with ConflictError `no_report` until there is one. */
  async report(id: string, options?: CallOptions): Promise<Report> {
    return await this.transport.json({ method: 'GET', path: path`/v1/runs/${id}/report`, ...options })
  }

  /** The report for people. */
  async reportMarkdown(id: string, options?: CallOptions): Promise<string> {
    const headers = { accept: 'text/markdown' }
    const request = { method: 'GET', path: path`/v1/runs/${id}/report`, headers, ...options } as const
    return await this.transport.send(request, (response) => response.text())
  }

  /** The ledger: calls to providers, oldest first. */
  calls(id: string, query: PageQuery = {}, options?: CallOptions): Listing<Call> {
    return listing(this.transport, path`/v1/runs/${id}/calls`, { ...query }, options)
  }

  /** The whole ledger of a run as CSV, under a line of field names. */
  async callsCsv(id: string, options?: CallOptions): Promise<string> {
    const request = { method: 'GET', path: path`/v1/runs/${id}/calls`, headers: CSV, ...options } as const
    return await this.transport.send(request, (response) => response.text())
  }

  /** Calls of tools, oldest first. */
  audit(id: string, query: PageQuery = {}, options?: CallOptions): Listing<AuditItem> {
    return listing(this.transport, path`/v1/runs/${id}/audit`, { ...query }, options)
  }
}

async function contentOf(response: Response): Promise<ArtifactContent> {
  const bytes = new Uint8Array(await response.arrayBuffer())
  const text = () => new TextDecoder().decode(bytes)
  return {
    mediaType: response.headers.get('content-type') ?? 'application/octet-stream',
    sha256: (response.headers.get('etag') ?? '').replace(/^W\//, '').replaceAll('"', ''),
    bytes,
    text,
    json: () => JSON.parse(text()),
  }
}
