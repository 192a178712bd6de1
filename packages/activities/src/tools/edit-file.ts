import { z } from 'zod'
import { containedPath, openRegular } from './contained-path.ts'
import { failed, Refused, told, tool } from './tool.ts'
import { writablePath, writeWhole } from './writable-path.ts'
import { LARGEST_WRITE, tooLarge } from './write-file.ts'

/** Replaces a text in a file, once, or everywhere when told; the rest of the file stays byte for byte. */
export const editFile = tool({
  effects: 'workspace',
  spec: {
    name: 'edit_file',
    description:
      'Replaces text in a file of the workspace. `old` must stand in the file exactly as given, once; give more of its surroundings where it stands more often, or set replaceAll.',
    parameters: {
      type: 'object',
      required: ['path', 'old', 'new'],
      properties: {
        path: { type: 'string', description: 'Path from the root of the workspace' },
        old: { type: 'string', description: 'The text to replace, without line numbers' },
        new: { type: 'string', description: 'What to put in its place; empty removes it' },
        replaceAll: { type: 'boolean', description: 'Replace it wherever it stands' },
      },
    },
  },
  arguments: z.object({
    path: z.string().min(1),
    old: z.string().min(1),
    new: z.string(),
    replaceAll: z.boolean().nullish(),
  }),
  async run({ path, old, new: replacement, replaceAll }, { root }) {
    const where = await writablePath(root, path)
    if (!where.exists) return failed(`"${where.shown}" does not exist; write_file makes it`)
    if (old === replacement) return failed('old and new are the same')
    const text = await textOf(root, path)
    const [sought, placed] = inItsLineBreaks(text, old, replacement)
    const count = text.split(sought).length - 1
    if (count === 0)
      return failed(`"${where.shown}" does not hold that text; read_file shows it as it is now`)
    if (count > 1 && !replaceAll)
      return failed(
        `"${where.shown}" holds that text ${count} times: give more of its surroundings, or set replaceAll`,
      )
    const bytes = Buffer.from(text.split(sought).join(placed))
    const fault = tooLarge(where.shown, bytes.length)
    if (fault !== undefined) return failed(fault)
    await writeWhole(where, bytes)
    const times = count === 1 ? '1 place' : `${count} places`
    return { ...told(`edited ${where.shown} in ${times} (${bytes.length} bytes)`), wrote: [where.shown] }
  },
})

/** The file's text, where it is one that can be written back unchanged. */
async function textOf(root: string, path: string): Promise<string> {
  const where = await containedPath(root, path)
  await using file = await openRegular(where)
  const { size } = await file.stat()
  if (size > LARGEST_WRITE)
    throw new Refused(`"${where.shown}" has ${size} bytes; at most ${LARGEST_WRITE} can be edited`)
  const bytes = await file.readFile()
  const text = bytes.toString('utf8')
  if (bytes.includes(0) || !Buffer.from(text).equals(bytes))
    throw new Refused(`"${where.shown}" is no text in UTF-8`)
  return text
}

/** Models write `\n`, and read_file shows no other: in a file of `\r\n` it means that. */
function inItsLineBreaks(text: string, old: string, replacement: string): [string, string] {
  const isOther = !text.includes(old) && text.includes('\r\n') && !old.includes('\r')
  return isOther
    ? [old.replaceAll('\n', '\r\n'), replacement.replaceAll(/\r?\n/g, '\r\n')]
    : [old, replacement]
}
