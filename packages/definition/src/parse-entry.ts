import {
  type Entry,
  FORMAT_PHASE_KINDS,
  FunctionEntry,
  PersonaEntry,
  PHASE_KINDS,
  SchemaEntry,
  TemplateEntry,
} from '@devflow/contracts'
import { type EntryError, entryErrors } from './entry-errors.ts'
import { pathText } from './path.ts'

const ENTRY_KINDS = {
  template: TemplateEntry,
  persona: PersonaEntry,
  schema: SchemaEntry,
  function: FunctionEntry,
}
type EntryKind = keyof typeof ENTRY_KINDS
const isEntryKind = (kind: unknown): kind is EntryKind =>
  typeof kind === 'string' && Object.hasOwn(ENTRY_KINDS, kind)

/** An entry in the shape its kind has, or what is wrong with its shape. */
export function parseEntry(value: unknown): { entry: Entry } | { errors: EntryError[] } {
  if (!isRecord(value))
    return { errors: [{ path: [], message: 'expected an entry: an object with kind and id' }] }
  if (!isEntryKind(value.kind)) return { errors: [{ path: ['kind'], message: kindMessage(value.kind) }] }
  const wrongPhases = value.kind === 'template' ? phaseKindErrors(value.phases, ['phases']) : []
  const parsed = ENTRY_KINDS[value.kind].safeParse(value)
  if (parsed.success) return { entry: parsed.data }
  // A phase of no or of an unknown kind has its error already; what zod says of it is noise.
  const covered = new Set(wrongPhases.map(({ phase }) => pathText(phase)))
  const rest = entryErrors(parsed.error.issues).filter(
    ({ path }) => !path.some((_, length) => covered.has(pathText(path.slice(0, length + 1)))),
  )
  return { errors: [...wrongPhases.map(({ path, message }) => ({ path, message })), ...rest] }
}

function kindMessage(kind: unknown): string {
  const kinds = Object.keys(ENTRY_KINDS).join(', ')
  if (kind === undefined) return `is missing: expected one of ${kinds}`
  return `expected one of ${kinds}`
}

/** An error in a phase, and where that phase is. */
type PhaseError = EntryError & { phase: PropertyKey[] }

function phaseKindErrors(phases: unknown, list: readonly PropertyKey[]): PhaseError[] {
  if (!Array.isArray(phases)) return []
  return phases.flatMap((phase: unknown, index): PhaseError[] => {
    const path = [...list, index]
    if (!isRecord(phase)) return []
    const error = kindError(phase, path)
    return error ? [{ ...error, phase: path }] : insideErrors(phase, path)
  })
}

function kindError(phase: Record<string, unknown>, path: PropertyKey[]): EntryError | undefined {
  const kinds = FORMAT_PHASE_KINDS.filter((kind) => Object.hasOwn(phase, kind))
  const runnable: readonly string[] = PHASE_KINDS
  const unsupported = kinds.find((kind) => !runnable.includes(kind))
  if (kinds.length > 1) return { path, message: `has two kinds, ${kinds.join(' and ')}: a phase has one` }
  if (unsupported) {
    const message = `this build does not run phases of kind ${unsupported}; it runs ${runnable.join(', ')}`
    return { path: [...path, unsupported], message }
  }
  if (kinds.length === 0) return { path, message: `has no kind: expected one of ${runnable.join(', ')}` }
  return waitKindErrors(phase.wait, [...path, 'wait'])[0]
}

/** Of the phases inside a phase. */
function insideErrors({ parallel, map, cycle }: Record<string, unknown>, path: PropertyKey[]): PhaseError[] {
  if (isRecord(map)) return phaseKindErrors(map.phases, [...path, 'map', 'phases'])
  if (isRecord(cycle)) return phaseKindErrors(cycle.phases, [...path, 'cycle', 'phases'])
  if (!isRecord(parallel) || !Array.isArray(parallel.branches)) return []
  return parallel.branches.flatMap((branch, index) =>
    phaseKindErrors(branch, [...path, 'parallel', 'branches', index]),
  )
}

function waitKindErrors(wait: unknown, path: PropertyKey[]): EntryError[] {
  if (!isRecord(wait)) return []
  const kinds = ['for', 'until', 'signal', 'event']
  if (kinds.filter((kind) => Object.hasOwn(wait, kind)).length === 1) return []
  return [{ path, message: `expected exactly one of ${kinds.join(', ')}` }]
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
