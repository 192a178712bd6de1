import { readdir, stat } from 'node:fs/promises'
import { z } from 'zod'
import { containedPath } from './contained-path.ts'
import { isGitName } from './git-name.ts'
import { failed, told, tool } from './tool.ts'

const MOST_ENTRIES = 1000

/** Answers with a head line `path (n entries)` and then one name a line: `src/`, `README.md`, `link@`. */
export const listDir = tool({
  spec: {
    name: 'list_dir',
    description:
      'Lists a directory of the workspace, sorted by name. Directories end in "/", links in "@". The root is ".".',
    parameters: {
      type: 'object',
      required: ['path'],
      properties: { path: { type: 'string', description: 'Path from the root of the workspace' } },
    },
  },
  arguments: z.object({ path: z.string().min(1).nullish() }),
  async run({ path }, { root }) {
    const where = await containedPath(root, path ?? '.')
    if (!(await stat(where.real)).isDirectory())
      return failed(`"${where.shown}" is no directory; read_file reads a file`)
    const entries = (await readdir(where.real, { withFileTypes: true }))
      .filter((entry) => !isGitName(entry.name))
      .map((entry) => entry.name + (entry.isDirectory() ? '/' : entry.isSymbolicLink() ? '@' : ''))
      .sort()
    const head = `${where.shown} (${entries.length} ${entries.length === 1 ? 'entry' : 'entries'})`
    const left = entries.length - MOST_ENTRIES
    return told(
      [
        head,
        ...entries.slice(0, MOST_ENTRIES),
        ...(left > 0 ? [`[${left} more are not shown; search_files finds files by glob]`] : []),
      ].join('\n'),
    )
  },
})
