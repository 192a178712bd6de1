import { globSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

export const textOf = (file: string): string => readFileSync(join(root, file), 'utf8')

const isOurs = (file: string): boolean => !/(^|[\\/])(node_modules|\.devflow|\.git|dist)([\\/]|$)/.test(file)

/** Files that match, from the root of the checkout, sorted. */
export function filesAt(...patterns: string[]): string[] {
  const skip = ['node_modules', '.git', '.devflow', 'dist']
  return globSync(patterns, { cwd: root, exclude: (name) => skip.includes(String(name)) })
    .filter(isOurs)
    .sort()
}

/** Sources that ship: no tests and no fixtures. */
export const sourcesAt = (...patterns: string[]): string[] =>
  filesAt(...patterns).filter((file) => !/\.(test|fixture)\.ts$|[\\/]testing[\\/]/.test(file))

export const documents: string[] = filesAt('*.md', 'docs/**/*.md', 'bench/**/*.md', 'packages/**/*.md')

export interface Fence {
  /** `file:line` of its first line. */
  at: string
  language: string
  text: string
}

/** The fenced blocks of a document. */
export function fencesOf(file: string): Fence[] {
  const text = textOf(file)
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    at: `${relative('.', file)}:${text.slice(0, match.index).split('\n').length + 1}`,
    language: match[1] ?? '',
    text: match[2] ?? '',
  }))
}

/** What stands in code style: inline, and in fenced blocks. */
export function codeIn(file: string): string[] {
  const prose = textOf(file).replace(/^```[\s\S]*?^```$/gm, '')
  const inline = [...prose.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '')
  return [...inline, ...fencesOf(file).map(({ text }) => text)]
}

/** Rows of all tables under a heading, up to the next heading of its level or above; each a list of cells. */
export function rowsUnder(file: string, heading: string): string[][] {
  const text = textOf(file)
  const level = heading.match(/^#+/)?.[0].length ?? 0
  const start = text.indexOf(`\n${heading}\n`)
  if (start < 0) throw new Error(`${file} has no heading ${heading}`)
  const rest = text.slice(start + heading.length + 2)
  const end = rest.search(new RegExp(`^#{1,${level}} `, 'm'))
  return (end < 0 ? rest : rest.slice(0, end))
    .split('\n')
    .filter((line) => /^\|(?! ?-)/.test(line))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
}

/** Words in code style in a cell. */
export const codesIn = (cell = ''): string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '')

/** As GitHub makes anchors of headings. */
export const anchorsOf = (file: string): string[] =>
  [...textOf(file).matchAll(/^#+ (.+)$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
