import { z } from 'zod'
import { containedPath } from './contained-path.ts'
import { readText, shownLine } from './text-file.ts'
import { failed, told, tool } from './tool.ts'

const MOST_LINES = 2000
const MOST_CHARACTERS = 100_000
const LONGEST_LINE = 2000
const MOST_BYTES_READ = 16 * 1024 * 1024

const Line = z.coerce.number().int().min(1).nullish()

/** Answers with a head line `path (lines a-b of n)` and then `number<TAB>text` for each line. */
export const readFile = tool({
  spec: {
    name: 'read_file',
    description:
      'Reads a text file of the workspace. Answers with numbered lines; long files come in parts, choose them with startLine and endLine.',
    parameters: {
      type: 'object',
      required: ['path'],
      properties: {
        path: { type: 'string', description: 'Path from the root of the workspace' },
        startLine: { type: 'integer', minimum: 1, description: 'First line, counted from 1' },
        endLine: { type: 'integer', minimum: 1, description: 'Last line, included' },
      },
    },
  },
  arguments: z.object({ path: z.string().min(1), startLine: Line, endLine: Line }),
  async run({ path, startLine, endLine }, { root }) {
    const where = await containedPath(root, path)
    const text = await readText(where, MOST_BYTES_READ)
    if (text === 'binary') return failed(`"${where.shown}" is a binary file`)
    const total = text.lines.length
    if (total === 0) return told(`${where.shown} (empty)`)
    const first = startLine ?? 1
    if (first > total) return failed(`"${where.shown}" has only ${total} lines`)
    const wanted = Math.min(endLine ?? total, total)
    if (wanted < first) return failed(`endLine ${wanted} lies before startLine ${first}`)

    const shown: string[] = []
    let characters = 0
    let last = first - 1
    while (last < wanted && shown.length < MOST_LINES) {
      const line = `${last + 1}\t${shownLine(text.lines[last] ?? '', LONGEST_LINE)}`
      characters += line.length + 1
      if (characters > MOST_CHARACTERS && shown.length > 0) break
      shown.push(line)
      last += 1
    }
    const notes = [
      ...(last < wanted ? [`[cut here; go on with startLine ${last + 1}]`] : []),
      ...(text.partial ? [`[only the first ${MOST_BYTES_READ} of ${text.size} bytes can be read]`] : []),
    ]
    return told([`${where.shown} (lines ${first}-${last} of ${total})`, ...shown, ...notes].join('\n'))
  },
})
