import { readdirSync } from 'node:fs'
import { quote } from 'shlex'
import type { CommandLine, Flag } from '../completion/command-lines.ts'
import { argsOf, OWN_WORDS } from './order.ts'

/** What the word at the end of a line may become, and that word. */
export function completions(typed: string, lines: readonly CommandLine[]): [whole: string[], word: string] {
  const word = /\S*$/.exec(typed)?.[0] ?? ''
  const before = argsOf(typed.slice(0, typed.length - word.length))
  if (!before) return [[], word]
  const found = candidates(before, word, lines).filter((each) => each.startsWith(word))
  const [only] = found
  // What is whole is left for the next word; a folder is gone into.
  return [found.length === 1 && only !== undefined && !only.endsWith('/') ? [`${only} `] : found, word]
}

function candidates(before: readonly string[], word: string, lines: readonly CommandLine[]): string[] {
  const at = commandAt(before, lines)
  if (!at) return []
  const flagOf = (name: string | undefined) =>
    at.flags.find((flag) => flag.name === name && flag.value !== undefined)
  const asked = flagOf(before.at(-1))
  if (asked) return valuesOf(asked, word)
  const [, name, start = ''] = /^(--[\w-]+)=(.*)$/.exec(word) ?? []
  const named = flagOf(name)
  if (named) return valuesOf(named, start).map((value) => `${name}=${value}`)
  if (word.startsWith('-')) return at.flags.map((flag) => flag.name)
  const own = at.path.length === 0 ? OWN_WORDS : []
  return [...at.subcommands.map((each) => each.name), ...own, ...at.choices, ...operandsOf(at, word)]
}

/** The command that the words before lead to, as the scripts for shells find it. */
function commandAt(before: readonly string[], lines: readonly CommandLine[]): CommandLine | undefined {
  const lineOf = (path: readonly string[]) => lines.find((line) => line.path.join(' ') === path.join(' '))
  return before.reduce((at, word) => lineOf([...(at?.path ?? []), word]) ?? at, lineOf([]))
}

function valuesOf({ choices, value }: Flag, start: string): string[] {
  if (choices.length > 0) return [...choices]
  if (value === 'folder') return pathsFrom(start, true)
  return value === 'file' ? pathsFrom(start, false) : []
}

function operandsOf({ arguments: [first] }: CommandLine, start: string): string[] {
  if (first === 'folder') return pathsFrom(start, true)
  return first === 'files' ? pathsFrom(start, false) : []
}

/** Paths that begin so and can be typed without quotes. */
function pathsFrom(start: string, foldersOnly: boolean): string[] {
  const folder = start.slice(0, start.lastIndexOf('/') + 1)
  const isHidden = (name: string) => name.startsWith('.')
  try {
    return readdirSync(folder || '.', { withFileTypes: true })
      .filter((found) => found.isDirectory() || !foldersOnly)
      .filter(({ name }) => !isHidden(name) || isHidden(start.slice(folder.length)))
      .map((found) => `${folder}${found.name}${found.isDirectory() ? '/' : ''}`)
      .filter((path) => quote(path) === path)
  } catch {
    // No folder, or none that may be read.
    return []
  }
}
