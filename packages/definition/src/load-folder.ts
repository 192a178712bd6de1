import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ErrorDetail, isSourcePath } from '@devflow/contracts'
import { functionErrors, scriptErrors } from './check-entry.ts'
import { compareText } from './entry-id.ts'
import { type ReadEntry, type ReadResult, readEntries } from './read-entries.ts'
import { yamlDocuments } from './yaml-documents.ts'

/** The built-in entries: an absolute path. */
export const catalogFolder: string = fileURLToPath(new URL('../../../catalog', import.meta.url))

const MAX_FILE_BYTES = 1024 * 1024
const MAX_FILES = 10_000

/**
 * Reads the entries of every *.yaml, *.yml and *.json under a folder, in the order of their paths. What cannot be
 * read is an error in the result. A persona's `model.script` and a function's `source` that are paths are replaced by
 * what those files hold, so an entry is whole; the file itself must lie in the folder and is not taken for an entry.
 */
export async function loadFolder(dir: string): Promise<ReadResult> {
  const root = resolve(dir)
  const result: ReadResult = { entries: [], errors: [] }
  const scripts = new Set<string>()
  const read = new Map<string, ReadResult>()
  for (const file of await entryFiles(root, result.errors)) {
    const text = await textOf(file, result.errors)
    if (text === undefined) continue
    const found = readEntries(text, file)
    for (const entry of found.entries) {
      await inlineScript(entry, root, scripts, found.errors)
      if (entry.entry.kind === 'persona') found.errors.push(...placed(scriptErrors(entry.entry), entry))
    }
    const broken = new Set<ReadEntry>()
    for (const entry of found.entries) if (!(await inlineSource(entry, root, found.errors))) broken.add(entry)
    read.set(file, { ...found, entries: found.entries.filter((entry) => !broken.has(entry)) })
  }
  for (const [file, found] of read) {
    if (scripts.has(file)) continue
    result.entries.push(...found.entries)
    result.errors.push(...found.errors)
  }
  return result
}

async function entryFiles(root: string, errors: ErrorDetail[]): Promise<string[]> {
  try {
    const names = await readdir(root, { recursive: true, withFileTypes: true })
    const files = names
      .filter((name) => name.isFile() && /\.(ya?ml|json)$/i.test(name.name))
      .map((name) => join(name.parentPath, name.name))
      .filter(
        (file) =>
          !relative(root, file)
            .split(sep)
            .some((part) => part === 'node_modules' || part.startsWith('.')),
      )
      .sort(compareText)
    if (files.length > MAX_FILES) errors.push({ path: root, message: `holds more than ${MAX_FILES} files` })
    return files.slice(0, MAX_FILES)
  } catch (error) {
    errors.push({ path: root, message: `cannot be read: ${reasonOf(error)}` })
    return []
  }
}

async function textOf(file: string, errors: ErrorDetail[]): Promise<string | undefined> {
  try {
    if ((await stat(file)).size > MAX_FILE_BYTES) {
      errors.push({ path: file, message: 'is larger than 1 MB' })
      return undefined
    }
    return await readFile(file, 'utf8')
  } catch (error) {
    errors.push({ path: file, message: `cannot be read: ${reasonOf(error)}` })
    return undefined
  }
}

async function inlineScript(
  read: ReadEntry,
  root: string,
  scripts: Set<string>,
  errors: ErrorDetail[],
): Promise<void> {
  const { entry, source } = read
  if (entry.kind !== 'persona' || typeof entry.model.script !== 'string') return
  const refuse = (message: string) => errors.push({ path: 'model.script', message: `${message} (${source})` })
  const file = resolve(dirname(source), entry.model.script)
  if (!file.startsWith(root + sep)) {
    refuse('lies outside the folder')
    return
  }
  const text = await textOf(file, errors)
  if (text === undefined) return
  scripts.add(file)
  const script = yamlDocuments(text, file)
  errors.push(...script.errors)
  const [first] = script.documents
  if (!first) refuse('holds no script')
  else entry.model.script = first.value as typeof entry.model.script
}

/** The same faults, with where their entry stands. */
const placed = (faults: readonly ErrorDetail[], { source, line }: ReadEntry): ErrorDetail[] =>
  faults.map(({ path, message }) => ({ path, message: `${message} (${source}:${line ?? 1})` }))

/** Makes a function's entry whole; false when it cannot be used, which the errors then say. */
async function inlineSource(read: ReadEntry, root: string, errors: ErrorDetail[]): Promise<boolean> {
  const { entry, source } = read
  if (entry.kind !== 'function') return true
  if (isSourcePath(entry.source)) {
    const file = resolve(dirname(source), entry.source)
    if (!file.startsWith(root + sep)) {
      errors.push(...placed([{ path: 'source', message: 'lies outside the folder' }], read))
      return false
    }
    const text = await textOf(file, errors)
    if (text === undefined) return false
    entry.source = text
  }
  const faults = functionErrors(entry)
  errors.push(...placed(faults, read))
  return faults.length === 0
}

function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
