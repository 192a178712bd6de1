import { isRecord } from './brief.ts'
import type { Seen, Wish } from './seen.ts'
import { type Place, quoteIn, type Requirement } from './spec.ts'

/** How many lines around a cited one are read, and searched for its quote. */
const AROUND = 3

/** What came of looking at a cited place. `holds` is undefined where it was not looked at. */
export interface Looked {
  requirement: string
  place: Place
  holds: boolean | undefined
  /** One sentence, naming the place. */
  said: string
}

/** The requirements of a spec artifact, whoever wrote it; what does not fit the form is left out. */
export function requirementsOf(spec: unknown): Requirement[] {
  const list = isRecord(spec) && Array.isArray(spec.requirements) ? spec.requirements : []
  return list.filter(isRecord).map((item) => ({
    id: String(item.id ?? ''),
    text: String(item.text ?? ''),
    evidence: (Array.isArray(item.evidence) ? item.evidence : [])
      .filter(isRecord)
      .filter((place) => typeof place.path === 'string')
      .map((place) => ({
        path: String(place.path),
        ...(typeof place.line === 'number' ? { line: place.line } : {}),
        ...(typeof place.note === 'string' ? { note: place.note } : {}),
      })),
  }))
}

/** Reads of every cited place, at most sixty. */
export const wishesForPlaces = (requirements: Requirement[]): Wish[] =>
  requirements
    .flatMap(({ evidence = [] }) => evidence)
    .slice(0, 60)
    .map(readPlace)

const readPlace = ({ path, line }: Place): Wish => ({
  name: 'read_file',
  arguments:
    line === undefined
      ? { path, endLine: 200 }
      : { path, startLine: Math.max(1, line - AROUND), endLine: line + AROUND },
})

/** Looks each cited place up among what was read. */
export const lookAt = (requirements: Requirement[], seen: Seen, asked: (wish: Wish) => boolean): Looked[] =>
  requirements.flatMap(({ id, evidence = [] }) =>
    evidence.map((place) => ({ requirement: id, place, ...judge(place, seen, asked(readPlace(place))) })),
  )

function judge(place: Place, seen: Seen, asked: boolean): Pick<Looked, 'holds' | 'said'> {
  const where = place.line === undefined ? place.path : `${place.path}:${place.line}`
  const file = seen.files.get(place.path.replace(/^\.\//, ''))
  if (!file)
    return asked
      ? { holds: false, said: `${where} cannot be read: there is no such text file.` }
      : { holds: undefined, said: `${where} was not looked at.` }
  if (place.line !== undefined && place.line > file.total)
    return { holds: false, said: `${where} does not exist: the file has ${file.total} lines.` }
  const quote = quoteIn(place.note)
  if (quote === undefined) return { holds: true, said: `${where} exists.` }
  const near = [...file.lines].filter(
    ([line]) => place.line === undefined || Math.abs(line - place.line) <= AROUND,
  )
  const exact = near.find(([line, text]) => line === place.line && text.includes(quote))
  if (exact) return { holds: true, said: `${where} reads “${shown(quote)}”.` }
  const moved = near.find(([, text]) => text.includes(quote))
  if (moved) return { holds: true, said: `${place.path}:${moved[0]} reads “${shown(quote)}”.` }
  return { holds: false, said: `${where} does not read “${shown(quote)}”.` }
}

const shown = (quote: string): string => (quote.length > 120 ? `${quote.slice(0, 120)}…` : quote)
