import { fileURLToPath } from 'node:url'
import {
  type Compiled,
  catalogFolder,
  compile,
  loadFolder,
  type ReadResult,
  Registry,
  readEntries,
} from '@devflow/definition'

const ENTRIES = fileURLToPath(new URL('./entries', import.meta.url))

let shared: Promise<ReadResult[]> | undefined

/**
 * Compiles a template: its id in the catalog or the test entries, or YAML text whose first document it is (further
 * documents are entries of its own).
 */
export async function compileEntries(
  template: string,
  bindings: Record<string, string> = {},
): Promise<Compiled> {
  shared ??= Promise.all([catalogFolder, ENTRIES].map(loadFolder))
  const isText = template.includes('\n')
  const own = isText ? readEntries(template, 'test.yaml') : { entries: [], errors: [] }
  const registry = new Registry([...(await shared), own])
  if (registry.errors.length > 0) throw new Error(JSON.stringify(registry.errors, null, 2))
  const id = isText ? own.entries[0]?.entry.id : template
  return compile(registry, { template: id ?? '', bindings, hasKey: () => true })
}
