import { type ErrorDetail, storable } from '@devflow/contracts'
import { type Document, LineCounter, parseAllDocuments } from 'yaml'
import { pathText } from './path.ts'
import { NotJson, plainJson } from './plain-json.ts'
import { withinTime } from './time-limit.ts'

/** Bytes of UTF-8 in one file. */
const MAX_BYTES = 1024 * 1024
const PARSE_MS = 10_000

/** One document of a file as plain JSON. */
export interface YamlDocument {
  value: unknown
  /** First line of the document, from 1. */
  line: number
  /** `file:line:col` of the value at a path, or of the nearest thing around it. */
  where(path: readonly PropertyKey[]): string
}

/** Reads YAML 1.2 (so JSON too) into plain JSON documents. Never throws: what is wrong is in `errors`. */
export function yamlDocuments(
  text: string,
  source: string,
): { documents: YamlDocument[]; errors: ErrorDetail[] } {
  const start = `${source}:1:1`
  if (Buffer.byteLength(text) > MAX_BYTES) {
    return { documents: [], errors: [{ path: start, message: 'is larger than 1 MB' }] }
  }
  try {
    return withinTime(PARSE_MS, () => parse(text, source))
  } catch (error) {
    // The parser recurses: thousands of brackets overflow its stack; its own bugs end here as well.
    const reason = error instanceof RangeError ? 'it nests too deeply' : String(error)
    return { documents: [], errors: [{ path: start, message: `cannot be read: ${reason}` }] }
  }
}

function parse(text: string, source: string): { documents: YamlDocument[]; errors: ErrorDetail[] } {
  const lines = new LineCounter()
  const parsed = parseAllDocuments(text, {
    version: '1.2',
    schema: 'core',
    lineCounter: lines,
    prettyErrors: false,
    resolveKnownTags: false,
    stringKeys: true,
    uniqueKeys: true,
    logLevel: 'silent',
  })
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${source}:${Math.max(line, 1)}:${Math.max(col, 1)}`
  }
  const documents: YamlDocument[] = []
  const errors: ErrorDetail[] = []
  for (const document of 'empty' in parsed ? [] : parsed) {
    const first = document.errors[0] ?? document.warnings[0]
    if (first) {
      // What follows a syntax error is mostly its echo.
      errors.push({ path: at(first.pos[0]), message: first.message + hint(text, lines, first.pos[0]) })
      continue
    }
    if (document.directives?.yaml.explicit && document.directives.yaml.version !== '1.2') {
      errors.push({ path: at(document.range[0]), message: 'is not YAML 1.2' })
      continue
    }
    if (document.contents === null) continue
    const offset = document.contents.range?.[0] ?? document.range[0]
    try {
      const value = storable(plainJson(document.toJS({ maxAliasCount: 100 })))
      const where = (path: readonly PropertyKey[]) => at(offsetOf(document, path) ?? offset)
      // Nothing between two markers, or behind the last one.
      if (value === null) continue
      documents.push({ value, line: Math.max(lines.linePos(offset).line, 1), where })
    } catch (error) {
      if (error instanceof NotJson)
        errors.push({ path: pathText(error.path), message: `${error.message} (${at(offset)})` })
      // An unknown alias, or aliases of aliases that would blow the document up.
      else if (error instanceof ReferenceError) errors.push({ path: at(offset), message: error.message })
      else throw error
    }
  }
  return { documents, errors }
}

/** In flow style `{`, `,` and `}` end a plain text, so an unquoted expression falls apart far from its cause. */
function hint(text: string, lines: LineCounter, offset: number): string {
  const from = lines.lineStarts[Math.max(lines.linePos(offset).line, 1) - 1] ?? 0
  const end = text.indexOf('\n', offset)
  const line = text.slice(from, end < 0 ? undefined : end)
  if (!line.includes('${{')) return ''
  return '. An expression inside { … } or [ … ], or one that holds ": " or " #", must be quoted'
}

function offsetOf(document: Document, path: readonly PropertyKey[]): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true)
    if (node && typeof node === 'object' && 'range' in node && Array.isArray(node.range)) return node.range[0]
  }
  return undefined
}
