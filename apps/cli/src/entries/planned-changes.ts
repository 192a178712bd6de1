import { isDeepStrictEqual } from 'node:util'
import type { ChangeOp, DevflowClient } from '@devflow/client'
import { DevflowError } from '@devflow/contracts'
import { canonical, type EntryDocument } from './entry-files.ts'

/** What is sent of one entry, and where it stands. */
export interface PlannedChange {
  op: ChangeOp
  id: string
  kind?: string
  entry: Record<string, unknown>
  place: string
}

/** What makes the registry what the files say. `unchanged`: entries that are so already. */
export async function plannedChanges(
  client: DevflowClient,
  documents: readonly EntryDocument[],
  gone: readonly string[],
): Promise<{ changes: PlannedChange[]; unchanged: string[] }> {
  const there = new Set<string>()
  for await (const { id } of client.registry.list({ limit: 200 })) there.add(id)
  const changes: PlannedChange[] = []
  const unchanged: string[] = []
  for (const { id, entry, place } of documents) {
    const kind = typeof entry.kind === 'string' ? { kind: entry.kind } : {}
    if (!there.has(id)) changes.push({ op: 'create', id, ...kind, entry, place })
    else if (isDeepStrictEqual((await client.registry.show(id)).entry, { ...entry, id })) unchanged.push(id)
    else changes.push({ op: 'update', id, ...kind, entry, place })
  }
  const deleted = gone.map((id) => ({ op: 'delete' as const, id: canonical(id), entry: { id }, place: id }))
  return { changes: [...changes, ...deleted], unchanged }
}

/** What a call answers. Where it refuses, it is told by file and line what the API tells by the place in the request. */
export async function placing<Value>(
  changes: readonly PlannedChange[],
  call: Promise<Value>,
): Promise<Value> {
  try {
    return await call
  } catch (error) {
    if (!(error instanceof DevflowError) || !error.errors) throw error
    const placed = (text: string) =>
      text.replace(/changes\[(\d+)\]\.entry\.?/g, (whole, index: string) => {
        const place = changes[Number(index)]?.place
        return place === undefined ? whole : `${place} `
      })
    const errors = error.errors.map(({ path, message }) => ({ path: placed(path), message: placed(message) }))
    throw new DevflowError(error.kind, error.code, placed(error.message), { errors, cause: error })
  }
}
