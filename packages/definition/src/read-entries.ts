import type { Entry, ErrorDetail } from '@devflow/contracts'
import { detailOf } from './entry-errors.ts'
import { parseEntry } from './parse-entry.ts'
import { yamlDocuments } from './yaml-documents.ts'

/** An entry and where it was read: `line` counts from 1. */
export interface ReadEntry {
  entry: Entry
  source: string
  line?: number
}

/** What a file or folder holds: the entries that are right, and what is wrong with the others. */
export interface ReadResult {
  entries: ReadEntry[]
  errors: ErrorDetail[]
}

/**
 * Reads entries from YAML 1.2 or JSON text, one or more documents, at most 1 MB. Never throws. Each error's path
 * leads into its document (`phases[2].gate.deadline`) and its message ends with `(source:line:col)`; where there
 * is no document yet, as for YAML syntax, the path itself is `source:line:col`.
 */
export function readEntries(text: string, source: string): ReadResult {
  const { documents, errors } = yamlDocuments(text, source)
  const result: ReadResult = { entries: [], errors }
  for (const document of documents) {
    const read = parseEntry(document.value)
    if ('entry' in read) result.entries.push({ entry: read.entry, source, line: document.line })
    else result.errors.push(...read.errors.map((error) => detailOf(error, document.where(error.path))))
  }
  return result
}
