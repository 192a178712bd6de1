// Texts of models, people and templates, made so that they can be read in Markdown and cannot become Markdown: whatever
// they hold, the headings, lists, tables and fences of the report stay the report's own. CommonMark 0.31 and the tables of GFM.

/** Controls, a terminal's escapes among them, and marks that turn the direction of text so that it reads otherwise than it is. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g
const LINE_END = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/g

const visible = (text: string) => text.replace(HIDDEN, '\uFFFD')

/** The lines of a text, with nothing hidden in them. */
export const linesOf = (text: string): string[] => text.split(LINE_END).map(visible)

/** A text within a line, also as a cell of a table. */
export function inline(text: string): string {
  const line = linesOf(text).join(' ').replaceAll(/\s+/g, ' ').trim()
  return (
    line
      .replaceAll(/[\\`*[\]|~]/g, '\\$&')
      .replaceAll(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '\\_')
      .replaceAll(/&(?=#?\w+;)/g, '&amp;')
      .replaceAll('<', '&lt;')
      .replace(/^[#>+\-=:]/, '\\$&')
      // At the end of a heading they would close it.
      .replace(/(?<= )#+$/, '\\$&')
      .replace(/^(\d+)([.)])/, '$1\\$2')
  )
}

/** A name, a path or a hash within a line, as code. Not for tables, which are parted before code is read. */
export function code(text: string): string {
  const line = linesOf(text).join(' ')
  if (line.trim() === '') return '(empty)'
  const marks = '`'.repeat(longestRun(line) + 1)
  const room = /^[` ]|[` ]$/.test(line) ? ' ' : ''
  return `${marks}${room}${line}${room}${marks}`
}

/** A text of several lines, as it is, in a fence that it cannot close. */
export function fenced(text: string, language = ''): string[] {
  const marks = '`'.repeat(Math.max(3, longestRun(text) + 1))
  return [`${marks}${language}`, ...linesOf(text), marks]
}

/** A text of several lines, quoted. */
export const quoted = (text: string): string[] => linesOf(text).map((line) => `> ${inline(line)}`.trimEnd())

/** A row of a table, of cells that are `inline`. */
export const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map(({ length }) => length))
}
