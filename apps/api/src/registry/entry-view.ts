import type { RegistryEntrySummary, RegistryEntryView } from '@devflow/contracts'
import { catalogFolder, idParts, type RegistryEntry } from '@devflow/definition'
import { MADE_OVER_HTTP } from './live-registry.ts'

/** An entry as lists show it. Where a file lies on the server is nobody's business. */
export function summaryOf({ id, hash, entry, source }: RegistryEntry): RegistryEntrySummary {
  const { namespace, name, version } = idParts(id)
  return {
    id,
    kind: entry.kind,
    namespace,
    name,
    ...(version === undefined ? {} : { version }),
    hash,
    ...(entry.title === undefined ? {} : { title: entry.title }),
    ...(entry.description === undefined ? {} : { description: entry.description }),
    meta: entry.meta ?? {},
    source: source === MADE_OVER_HTTP ? 'registry' : source.startsWith(catalogFolder) ? 'catalog' : 'folder',
    immutable: version !== undefined,
    readOnly: source !== MADE_OVER_HTTP,
  }
}

export function viewOf(found: RegistryEntry): RegistryEntryView {
  // JSON leaves out what zod leaves behind as undefined.
  return { ...summaryOf(found), entry: JSON.parse(JSON.stringify(found.entry)) }
}
