import widthOf from 'fast-string-width'
import { wrapAnsi } from 'fast-wrap-ansi'

const graphemes = new Intl.Segmenter()

/** Columns that a text takes in a terminal: Korean letters take two, colours none. */
export { widthOf }

/** The text, cut to so many columns. It must hold no colours: they would be cut too. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text
  let kept = ''
  let width = 0
  for (const { segment } of graphemes.segment(text)) {
    width += widthOf(segment)
    if (width > columns - 1) break
    kept += segment
  }
  return columns > 0 ? `${kept.trimEnd()}…` : ''
}

export const padEnd = (text: string, columns: number): string =>
  text + ' '.repeat(Math.max(0, columns - widthOf(text)))

export const padStart = (text: string, columns: number): string =>
  ' '.repeat(Math.max(0, columns - widthOf(text))) + text

/** Lines of at most so many columns, broken between words where that is possible. */
export function wrap(text: string, columns: number): string[] {
  if (!Number.isFinite(columns)) return text.split('\n')
  return wrapAnsi(text, Math.max(20, columns), { hard: true, trim: true }).split('\n')
}

/** Control characters of what others wrote would steer the terminal: they are shown as a mark. */
export const harmless = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  text.replace(/\r\n/g, '\n').replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\u00b7')

/** The text in one line. */
export const inOneLine = (text: string): string => harmless(text).replace(/\s+/g, ' ').trim()
