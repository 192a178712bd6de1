import { type ContainedPath, openRegular } from './contained-path.ts'

export interface TextFile {
  /** Without the line breaks; a last empty line is not counted. */
  lines: string[]
  /** Bytes of the file. */
  size: number
  /** Only the first part was read. */
  partial: boolean
}

/** Reads at most `limit` bytes of a regular file. `binary` when it holds a NUL near its start. */
export async function readText(path: ContainedPath, limit: number): Promise<TextFile | 'binary'> {
  await using file = await openRegular(path)
  const { size } = await file.stat()
  const buffer = Buffer.alloc(Math.min(size, limit))
  let length = 0
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  const bytes = buffer.subarray(0, length)
  if (bytes.subarray(0, 8192).includes(0)) return 'binary'
  const lines = bytes
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  return { lines, size, partial: length < size }
}

/** A line as it is shown, cut where it is too long to be read. */
export const shownLine = (line: string, longest: number): string =>
  line.length <= longest ? line : `${line.slice(0, longest)}… [line cut, ${line.length} characters]`
