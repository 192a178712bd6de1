import { TELLING } from './facts.ts'
import { listedFiles, type Match, type Seen, type Wish, wishKey } from './seen.ts'

const MOST_DIRECTORIES = 24
const MOST_LANGUAGES = 6
const MOST_PLACES = 4

/** By extension, what people call the language. */
const LANGUAGES: Record<string, string> = {
  c: 'C',
  cc: 'C++',
  cpp: 'C++',
  cs: 'C#',
  css: 'CSS',
  dart: 'Dart',
  ex: 'Elixir',
  go: 'Go',
  hs: 'Haskell',
  html: 'HTML',
  java: 'Java',
  js: 'JavaScript',
  jsx: 'JavaScript',
  kt: 'Kotlin',
  lua: 'Lua',
  md: 'Markdown',
  mjs: 'JavaScript',
  php: 'PHP',
  py: 'Python',
  rb: 'Ruby',
  rs: 'Rust',
  scala: 'Scala',
  sh: 'Shell',
  sql: 'SQL',
  swift: 'Swift',
  ts: 'TypeScript',
  tsx: 'TypeScript',
  vue: 'Vue',
  yaml: 'YAML',
  yml: 'YAML',
}

const STOP_WORDS = new Set(
  'about above adds after again against also another because been before being between both cannot could does down during each every from further given have having here into itself just like made make makes more most must need needs only other over same should show some spec such than that their them then there these they this those through under until very want wants well were what when where which while will with without work works would write your'.split(
    ' ',
  ),
)

/** What to look at for a first picture of the repository; grows as results come in and ends by itself. */
export function wishesForRepository(request: string, seen: Seen): Wish[] {
  const root = seen.directories.get('.')
  if (!root) return [{ name: 'list_dir', arguments: { path: '.' } }]
  const telling = root.filter((entry) => TELLING.some(([pattern]) => pattern.test(entry)))
  return [
    ...telling.map((path): Wish => ({ name: 'read_file', arguments: { path, endLine: 200 } })),
    ...directoriesToList(seen).map((path): Wish => ({ name: 'list_dir', arguments: { path } })),
    ...extensions(seen).map(countFiles),
    ...(keywords(request).length > 0 ? [searchRequest(request)] : []),
    { name: 'search_files', arguments: { pattern: '\\b(?:TODO|FIXME)\\b' } },
    ...placesOfRequest(request, seen).map(
      ({ path, line }): Wish => ({
        name: 'read_file',
        arguments: { path, startLine: Math.max(1, line - 3), endLine: line + 8 },
      }),
    ),
  ]
}

/** First the root's, then the next level's: where packages, sources and tests usually are. */
function directoriesToList(seen: Seen): string[] {
  const below = (directory: string): string[] =>
    (seen.directories.get(directory) ?? [])
      .filter(
        (entry) =>
          entry.endsWith('/') && !/^(?:\.(?!ci|github)|node_modules|vendor|dist|build|target)/.test(entry),
      )
      .map((entry) => (directory === '.' ? '' : `${directory}/`) + entry.slice(0, -1))
  const first = below('.')
  return [...first, ...first.flatMap(below)].slice(0, MOST_DIRECTORIES)
}

/** Extensions of known languages among the files listed, the most frequent first. */
function extensions(seen: Seen): string[] {
  const counts = new Map<string, number>()
  for (const path of listedFiles(seen)) {
    const extension = /\.(\w+)$/.exec(path)?.[1]
    if (extension && extension in LANGUAGES) counts.set(extension, (counts.get(extension) ?? 0) + 1)
  }
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, MOST_LANGUAGES)
    .map(([extension]) => extension)
}

/** A pattern that matches nothing: its answer says how many files there are. */
const countFiles = (extension: string): Wish => ({
  name: 'search_files',
  arguments: { pattern: '\\z.', glob: `*.${extension}` },
})

/** Files by language, the most frequent first. */
export function languages(seen: Seen): [language: string, files: number][] {
  const counts = new Map<string, number>()
  for (const extension of extensions(seen)) {
    const files = seen.searches.get(wishKey(countFiles(extension)))?.files ?? 0
    const name = LANGUAGES[extension] ?? extension
    if (files > 0) counts.set(name, (counts.get(name) ?? 0) + files)
  }
  return [...counts].sort(([, m], [, n]) => n - m)
}

/** The words of the request that could name something, at most eight. */
function keywords(request: string): string[] {
  const words = request.match(/[\p{L}\p{N}_]{4,}/gu) ?? []
  const kept = words.map((word) => word.toLowerCase()).filter((word) => !STOP_WORDS.has(word))
  return [...new Set(kept)].slice(0, 8)
}

const searchRequest = (request: string): Wish => ({
  name: 'search_files',
  arguments: { pattern: `(?i)(?:${keywords(request).join('|')})` },
})

/** From the files that hold most of the request's words, sources before prose, the line that holds most of them. */
export function placesOfRequest(request: string, seen: Seen): Match[] {
  const words = keywords(request)
  if (words.length === 0) return []
  const held = (text: string) => words.filter((word) => text.toLowerCase().includes(word)).length
  const files = Map.groupBy(
    seen.searches.get(wishKey(searchRequest(request)))?.matches ?? [],
    ({ path }) => path,
  )
  return [...files]
    .map(([path, matches]) => ({
      score:
        held(matches.map(({ text }) => text).join('\n')) * 10 + held(path) * 5 - (PROSE.test(path) ? 12 : 0),
      best: matches.reduce((best, match) => (lineScore(match, held) > lineScore(best, held) ? match : best)),
    }))
    .sort((a, b) => b.score - a.score || (a.best.path < b.best.path ? -1 : 1))
    .slice(0, MOST_PLACES)
    .map(({ best }) => best)
}

/** Files that speak of things rather than being them. */
const PROSE = /\.(?:md|txt|rst|lock|snap|json|toml|ya?ml)$/

/** An import only says that the thing is elsewhere. */
const lineScore = ({ text }: Match, held: (text: string) => number): number =>
  held(text) * 10 - (/^\s*(?:import|from|use|using|require|#include|export \*)\b/.test(text) ? 9 : 0)

export const openNotes = (seen: Seen): Match[] =>
  seen.searches.get(wishKey({ name: 'search_files', arguments: { pattern: '\\b(?:TODO|FIXME)\\b' } }))
    ?.matches ?? []

/** Files that are tests by their name or folder, among those listed. */
export const testFiles = (seen: Seen): string[] =>
  listedFiles(seen).filter((path) =>
    /(?:[._-](?:test|spec)\.\w+$|(?:^|\/)test_\w+\.py$|_test\.\w+$|(?:^|\/)(?:tests?|__tests__|spec)\/)/.test(
      path,
    ),
  )
