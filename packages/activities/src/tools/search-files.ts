import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { RE2JS } from 're2js'
import { z } from 'zod'
import { type ContainedPath, containedPath } from './contained-path.ts'
import { compilePattern, globMatcher } from './glob-pattern.ts'
import { readText, shownLine } from './text-file.ts'
import { Denied, told, tool } from './tool.ts'
import { walkFiles } from './walk-files.ts'

const MOST_MATCHES = 200
const MOST_MATCHES_A_FILE = 20
const LARGEST_FILE_PART = 1024 * 1024
const LONGEST_LINE = 300
/** Matching sees only this much of a line: minified files have lines of megabytes. */
const LONGEST_LINE_MATCHED = 10_000
const MOST_FILES = 50_000
const PATIENCE_MS = 10_000

/** Answers with `path:line: text` for each match, then a line of what was searched and why it stopped. */
export const searchFiles = tool({
  spec: {
    name: 'search_files',
    description:
      'Searches the text files of the workspace, line by line, for a regular expression (RE2 syntax; (?i) ignores case). Answers with path:line: text.',
    parameters: {
      type: 'object',
      required: ['pattern'],
      properties: {
        pattern: { type: 'string', description: 'Regular expression' },
        path: { type: 'string', description: 'Directory or file to search; default: all' },
        glob: { type: 'string', description: 'Only files matching this, such as *.ts or src/**/*.{js,ts}' },
      },
    },
  },
  arguments: z.object({
    pattern: z.string().min(1),
    path: z.string().min(1).nullish(),
    glob: z.string().min(1).nullish(),
  }),
  async run({ pattern, path, glob }, { root, signal }) {
    const expression = compilePattern(pattern, 'pattern')
    const chosen = glob ? globMatcher(glob) : () => true
    const top = await containedPath(root, '.')
    const where = await containedPath(root, path ?? '.')
    const until = performance.now() + PATIENCE_MS
    const found: string[] = []
    let searched = 0
    let unreadable = 0
    let stopped = ''
    for await (const file of filesAt(where)) {
      signal.throwIfAborted()
      if (performance.now() > until) stopped = `stopped after ${PATIENCE_MS / 1000} s`
      else if (searched >= MOST_FILES) stopped = `stopped after ${MOST_FILES} files`
      else if (found.length >= MOST_MATCHES) stopped = `stopped after ${MOST_MATCHES} matches`
      if (stopped !== '') break
      if (!chosen(file)) continue
      searched += 1
      const matches = await matchesIn(expression, { real: join(top.real, file), shown: file })
      if (matches === 'unreadable') unreadable += 1
      else found.push(...matches)
    }
    const advice = stopped === '' ? '' : `; ${stopped}: narrow it with path, glob or a finer pattern`
    const skipped = unreadable === 0 ? '' : `; ${unreadable} could not be read`
    const count = found.length === 1 ? '1 match' : `${found.length} matches`
    return told(
      [...found.slice(0, MOST_MATCHES), `[${count} in ${searched} files${skipped}${advice}]`].join('\n'),
    )
  },
})

/** Paths from the root of the workspace. */
async function* filesAt(where: ContainedPath): AsyncGenerator<string> {
  if ((await stat(where.real)).isFile()) {
    yield where.shown
    return
  }
  const prefix = where.shown === '.' ? '' : `${where.shown}/`
  for await (const file of walkFiles(where.real)) yield prefix + file
}

/** Binary files match nothing, nor does what lies behind a file's first megabyte. */
async function matchesIn(expression: RE2JS, path: ContainedPath): Promise<string[] | 'unreadable'> {
  const text = await readText(path, LARGEST_FILE_PART).catch((error: NodeJS.ErrnoException) => {
    if (error instanceof Denied) return undefined
    if (error.code === 'EACCES' || error.code === 'ENOENT' || error.code === 'ELOOP') return undefined
    throw error
  })
  if (text === undefined) return 'unreadable'
  if (text === 'binary') return []
  const found: string[] = []
  for (const [index, line] of text.lines.entries()) {
    if (!expression.test(line.slice(0, LONGEST_LINE_MATCHED))) continue
    if (found.length === MOST_MATCHES_A_FILE) {
      found.push(`${path.shown}: [more matches in this file]`)
      break
    }
    found.push(`${path.shown}:${index + 1}: ${shownLine(line, LONGEST_LINE)}`)
  }
  return found
}
