import { z } from 'zod'
import { told, tool } from './tool.ts'
import { writablePath, writeWhole } from './writable-path.ts'

/** Bytes of a file that a tool writes. */
export const LARGEST_WRITE = 2 * 1024 * 1024

/** Writes a whole file; answers with its size and whether it is new. */
export const writeFile = tool({
  effects: 'workspace',
  spec: {
    name: 'write_file',
    description:
      'Writes a text file of the workspace, whole: a file that is there is replaced, missing directories are made. To change part of a file use edit_file.',
    parameters: {
      type: 'object',
      required: ['path', 'content'],
      properties: {
        path: { type: 'string', description: 'Path from the root of the workspace' },
        content: { type: 'string', description: 'The whole content of the file' },
      },
    },
  },
  arguments: z.object({ path: z.string().min(1), content: z.string() }),
  async run({ path, content }, { root }) {
    const where = await writablePath(root, path)
    const bytes = Buffer.from(content)
    const fault = tooLarge(where.shown, bytes.length)
    if (fault !== undefined) return { ok: false, content: fault }
    await writeWhole(where, bytes)
    return {
      ...told(`${where.exists ? 'replaced' : 'created'} ${where.shown} (${bytes.length} bytes)`),
      wrote: [where.shown],
    }
  },
})

/** Why a file of this size is not written. */
export const tooLarge = (shown: string, bytes: number): string | undefined =>
  bytes <= LARGEST_WRITE
    ? undefined
    : `"${shown}" would have ${bytes} bytes; at most ${LARGEST_WRITE} can be written. Split it.`
