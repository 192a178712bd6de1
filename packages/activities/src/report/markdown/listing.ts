import { fenced, inline, linesOf } from './safe-text.ts'

/** A report is read as a whole; what is longer is read where it lies. */
const MOST_LINES = 200
const MOST_LINES_OF_TEXT = 60
const LONGEST_LINE = 2_000
/** Deeper, a value is shown as JSON: nobody reads lists in lists in lists. */
const DEEPEST = 6
/** Fields of an item go on in its line while it stays as short. */
const LONGEST_ITEM = 120

type Fields = Record<string, unknown>
const isFields = (value: unknown): value is Fields =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
const isScalar = (value: unknown) => value === null || typeof value !== 'object'
const isText = (value: unknown): value is string =>
  typeof value === 'string' && linesOf(value.trim()).length > 1

/** JSON as nested lists, to be read. Where it is cut, `more` is said at its end: where the whole is. */
export function listing(value: unknown, more: string): string[] {
  const room = { lines: MOST_LINES, cut: false }
  const lines = block(value, room, 0)
  return room.cut ? [...lines, '', `… and more: ${more}`] : lines
}

interface Room {
  lines: number
  cut: boolean
}

/** A value as lines that begin at the left edge. */
function block(value: unknown, room: Room, depth: number): string[] {
  if (isText(value)) return text(value, room)
  if (isScalar(value)) return [scalar(value, room)]
  if (Object.keys(value as object).length === 0) return ['none']
  if (depth >= DEEPEST) return text(JSON.stringify(value, null, 2), room, 'json')
  const lines: string[] = []
  const entries = Object.entries(value as object)
  for (const [index, [name, item]] of entries.entries()) {
    if (room.lines <= 0) {
      room.cut = true
      break
    }
    const more = Array.isArray(value)
      ? listItem(item, index, room, depth)
      : field('- ', name, item, room, depth)
    room.lines -= more.length
    lines.push(...more)
  }
  return lines
}

function field(lead: string, name: string, value: unknown, room: Room, depth: number): string[] {
  const label = `${lead}**${inline(name) || '(empty)'}**:`
  if (isScalar(value) && !isText(value)) return [`${label} ${scalar(value, room)}`]
  if (!isText(value) && Object.keys(value as object).length === 0) return [`${label} none`]
  return [label, ...indented(block(value, room, depth + 1), lead.length)]
}

function listItem(value: unknown, index: number, room: Room, depth: number): string[] {
  if (isScalar(value) && !isText(value)) return [`- ${scalar(value, room)}`]
  const mark = `${index + 1}. `
  if (isFields(value)) {
    const line = oneLine(value, room)
    if (line !== undefined) return [`${mark}${line}`]
  }
  const [first = '', ...rest] = block(value, room, depth + 1)
  return [`${mark}${first}`, ...indented(rest, mark.length)]
}

/** The fields of an item in one line; undefined where they are too long for it, or more than names and values. */
function oneLine(value: Fields, room: Room): string | undefined {
  const fields = Object.entries(value)
  if (fields.length === 0 || !fields.every(([, part]) => isScalar(part) && !isText(part))) return undefined
  const line = fields
    .map(([name, part]) => `**${inline(name) || '(empty)'}**: ${scalar(part, room)}`)
    .join(' · ')
  return line.length <= LONGEST_ITEM ? line : undefined
}

function scalar(value: unknown, room: Room): string {
  if (typeof value !== 'string') return JSON.stringify(value) ?? 'none'
  if (value.length > LONGEST_LINE) room.cut = true
  const shown = value.length > LONGEST_LINE ? `${value.slice(0, LONGEST_LINE).toWellFormed()} …` : value
  return inline(shown) || '(empty)'
}

function text(value: string, room: Room, language = 'text'): string[] {
  const lines = linesOf(value.trimEnd())
  const shown = lines.slice(0, MOST_LINES_OF_TEXT).map((line) => line.slice(0, LONGEST_LINE).toWellFormed())
  if (shown.length < lines.length || shown.some((line, index) => line !== lines[index])) {
    room.cut = true
    shown.push('…')
  }
  return fenced(shown.join('\n'), language)
}

const indented = (lines: readonly string[], by: number): string[] =>
  lines.map((line) => (line === '' ? '' : `${' '.repeat(by)}${line}`))
