import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { isSourcePath } from '@devflow/contracts'
import { LineCounter, parse, parseAllDocuments } from 'yaml'
import type { Words } from '../messages/words.ts'
import { badUsage } from '../refuse.ts'

/** An entry as it stands in a file; what it must hold the API says. */
export interface EntryDocument {
  id: string
  entry: Record<string, unknown>
  /** `file:line`. */
  place: string
}

/**
 * The entries of files and folders, or whatever else has an id. Throws INVALID `bad_usage` where something cannot be read,
 * or is none: `refusal` says so.
 */
export function readEntries(
  paths: readonly string[],
  words: Words,
  refusal: (place: string) => string = words.failures.notEntry,
): EntryDocument[] {
  return paths.flatMap((path) => {
    const { files, root } = filesAt(path, words)
    const scripts = new Set<string>()
    const found = files.flatMap((file) => documentsOf(file, { root, scripts, words }))
    // A script lies among the entries of its folder and is none.
    const entries = found.filter(({ file }) => file === '-' || !scripts.has(resolve(file)))
    const wrong = entries.find(({ value }) => !isEntry(value))
    if (wrong) throw badUsage(refusal(wrong.place))
    if (entries.length === 0) throw badUsage(words.failures.noEntries(path))
    return entries.map(({ value, place }) => {
      const entry = value as Record<string, unknown> & { id: string }
      return { id: canonical(entry.id), entry, place }
    })
  })
}

/** The default namespace is left out where the API shows ids. */
export const canonical = (id: string): string => id.replace(/^devflow:/, '')

const isEntry = (value: unknown): boolean => isObject(value) && typeof value.id === 'string'

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function filesAt(path: string, words: Words): { files: string[]; root: string } {
  if (path === '-') return { files: ['-'], root: process.cwd() }
  const isFolder = reading(path, words, () => statSync(path).isDirectory())
  if (!isFolder) return { files: [path], root: dirname(path) }
  const names = reading(path, words, () => readdirSync(path, { recursive: true, withFileTypes: true }))
  const files = names
    .filter((name) => name.isFile() && /\.(ya?ml|json)$/i.test(name.name))
    .map((name) => join(name.parentPath, name.name))
    .filter(
      (file) =>
        !relative(path, file)
          .split(sep)
          .some((part) => part === 'node_modules' || part.startsWith('.')),
    )
  return { files: files.sort(), root: path }
}

/** As the API reads its folders. */
const YAML_1_2 = {
  version: '1.2',
  schema: 'core',
  resolveKnownTags: false,
  stringKeys: true,
  logLevel: 'silent',
} as const

interface Reading {
  /** The folder that scripts must lie in. */
  root: string
  /** Files that entries named as their scripts. */
  scripts: Set<string>
  words: Words
}

function documentsOf(
  file: string,
  { root, scripts, words }: Reading,
): { value: unknown; place: string; file: string }[] {
  const text = reading(file, words, () => readFileSync(file === '-' ? 0 : file, 'utf8'))
  const lines = new LineCounter()
  const parsed = parseAllDocuments(text, { ...YAML_1_2, lineCounter: lines })
  return ('empty' in parsed ? [] : parsed).flatMap((document) => {
    const [error] = [...document.errors, ...document.warnings]
    if (error) {
      const { line } = lines.linePos(error.pos[0])
      const hint = text.split('\n')[line - 1]?.includes('${{') ? ` ${words.failures.mustBeQuoted}` : ''
      throw badUsage(words.failures.notFile(file, `${error.message.split('\n')[0]}${hint}`))
    }
    const { yaml } = document.directives ?? {}
    if (yaml?.explicit && yaml.version !== '1.2')
      throw badUsage(words.failures.notFile(file, words.failures.notYaml12))
    const value: unknown = reading(file, words, () => document.toJS({ maxAliasCount: 100 }))
    if (value === null) return []
    const place = `${file}:${lines.linePos(document.contents?.range?.[0] ?? document.range[0]).line}`
    const at = { file, place, root, scripts, words }
    return [{ value: withSource(withScript(value, at), at), place, file }]
  })
}

type Place = Reading & { file: string; place: string }

/** An entry is sent whole: a script that is a path is put in its place. */
function withScript(value: unknown, at: Place): unknown {
  const model = isObject(value) && value.kind === 'persona' ? value.model : undefined
  if (!isObject(value) || !isObject(model) || typeof model.script !== 'string') return value
  const script = beside(model.script, at)
  at.scripts.add(script)
  const read = reading(script, at.words, () => parse(readFileSync(script, 'utf8'), YAML_1_2) as unknown)
  return { ...value, model: { ...model, script: read } }
}

/** So is a function's source. */
function withSource(value: unknown, at: Place): unknown {
  if (!isObject(value) || value.kind !== 'function') return value
  const { source } = value
  if (typeof source !== 'string' || !isSourcePath(source)) return value
  const file = beside(source, at)
  return { ...value, source: reading(file, at.words, () => readFileSync(file, 'utf8')) }
}

/** A file that an entry names, which lies in its folder. */
function beside(name: string, { file, place, root, words }: Place): string {
  const found = resolve(file === '-' ? '.' : dirname(file), name)
  if (!found.startsWith(resolve(root) + sep)) throw badUsage(words.failures.scriptOutside(place))
  return found
}

function reading<Value>(path: string, { failures }: Words, read: () => Value): Value {
  try {
    return read()
  } catch (error) {
    throw badUsage(failures.notFile(path, error instanceof Error ? error.message : String(error)))
  }
}
