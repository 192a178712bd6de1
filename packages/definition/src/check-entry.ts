import {
  type Entry,
  type ErrorDetail,
  type FunctionEntry,
  isSourcePath,
  type JsonSchema,
  type PersonaEntry,
  Script,
} from '@devflow/contracts'
import { sourceFault } from './check-source.ts'
import { entryErrors } from './entry-errors.ts'
import { idParts } from './entry-id.ts'
import { checkSchema } from './json-schema.ts'
import { parseEntry } from './parse-entry.ts'
import { pathText, pathUnder } from './path.ts'
import { NotJson, plainJson } from './plain-json.ts'

/**
 * An entry that somebody sends, checked by the same rules as one in a file; paths lead into the entry. It has to be
 * whole: what would be read from a file beside it is refused, so that no caller can have this machine's files read.
 */
export function checkEntry(value: unknown): { entry: Entry } | { errors: ErrorDetail[] } {
  let plain: unknown
  try {
    plain = plainJson(value)
  } catch (error) {
    if (!(error instanceof NotJson)) throw error
    return { errors: [{ path: pathText(error.path), message: error.message }] }
  }
  const parsed = parseEntry(plain)
  if ('errors' in parsed) {
    return { errors: parsed.errors.map(({ path, message }) => ({ path: pathText(path), message })) }
  }
  const errors = [...idErrors(parsed.entry), ...fileErrors(parsed.entry), ...schemaErrors(parsed.entry)]
  return errors.length > 0 ? { errors } : parsed
}

function idErrors({ id }: Entry): ErrorDetail[] {
  if (!idParts(id).version?.includes('+')) return []
  return [{ path: 'id', message: 'a version with + is for changed copies of what folders hold' }]
}

function fileErrors(entry: Entry): ErrorDetail[] {
  if (entry.kind === 'function' && isSourcePath(entry.source)) {
    return [
      {
        path: 'source',
        message: 'expected the source itself: files are read only beside entries in a folder',
      },
    ]
  }
  if (entry.kind !== 'persona' || typeof entry.model.script !== 'string') return []
  return [
    {
      path: 'model.script',
      message: 'expected the script itself: files are read only beside entries in a folder',
    },
  ]
}

function schemaErrors(entry: Entry): ErrorDetail[] {
  if (entry.kind === 'function') return functionErrors(entry)
  if (entry.kind === 'persona') return scriptErrors(entry)
  return entry.kind === 'schema' ? schemaFaults('schema', entry.schema) : []
}

/** What is wrong with what a scripted persona says; where it is a path still, that is not known. */
export function scriptErrors({ model: { provider, script } }: PersonaEntry): ErrorDetail[] {
  if (provider !== 'scripted' || typeof script === 'string') return []
  const parsed = Script.safeParse(script)
  if (parsed.success) return []
  const errors = entryErrors(parsed.error.issues, ['model', 'script'])
  return errors.map(({ path, message }) => ({ path: pathText(path), message }))
}

/** What is wrong with a function, as far as it shows before it runs. */
export function functionErrors({ source, input, output }: FunctionEntry): ErrorDetail[] {
  const fault = isSourcePath(source) ? undefined : sourceFault(source)
  return [
    ...(fault === undefined ? [] : [{ path: 'source', message: fault }]),
    ...(input ? schemaFaults('input', input) : []),
    ...(output ? schemaFaults('output', output) : []),
  ]
}

const schemaFaults = (base: string, schema: JsonSchema): ErrorDetail[] =>
  checkSchema(schema).map(({ path, message }) => ({ path: pathUnder(base, path), message }))
