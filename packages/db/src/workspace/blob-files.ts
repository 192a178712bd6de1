import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { DevflowError } from '@devflow/contracts'
import type pg from 'pg'

/** Bytes of a row; what is larger lies in parts. */
const PART = 8 * 1024 * 1024
/** Bytes of a body: what is read whole by one answer over HTTP. */
export const LARGEST_BLOB = 512 * 1024 * 1024

/**
 * Keeps a file under its hash, for one run, in parts where it is large; never more than one of them is in memory. Storing
 * it again changes nothing. Throws INVALID `workspace_too_large`.
 */
export async function putBlobFile(
  pool: pg.Pool,
  run: string,
  file: string,
): Promise<{ sha256: string; bytes: number }> {
  const { size } = await stat(file)
  if (size > LARGEST_BLOB)
    throw new DevflowError(
      'INVALID',
      'workspace_too_large',
      `What the workspace has changed takes ${size} bytes; at most ${LARGEST_BLOB} are kept. Have large files ignored (.gitignore).`,
    )
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  const sha256 = hash.digest('hex')
  let part = 0
  for await (const content of createReadStream(file, { highWaterMark: PART })) {
    await pool.query({
      name: 'put-blob-part',
      text: `insert into devflow.blob_parts (run_id, sha256, part, tenant, content)
             select run_id, $2, $3, tenant, $4 from devflow.run_heads where run_id = $1 on conflict do nothing`,
      values: [run, sha256, part, content],
    })
    part += 1
  }
  return { sha256, bytes: size }
}

/** Writes a body kept by `putBlobFile` into a file. Throws INTERNAL `blob_missing`. */
export async function getBlobFile(pool: pg.Pool, run: string, sha256: string, file: string): Promise<void> {
  async function* parts() {
    for (let part = 0; ; part += 1) {
      const { rows } = await pool.query<{ content: Buffer }>({
        name: 'get-blob-part',
        text: 'select content from devflow.blob_parts where run_id = $1 and sha256 = $2 and part = $3',
        values: [run, sha256, part],
      })
      const [row] = rows
      if (!row) {
        if (part === 0)
          throw new DevflowError('INTERNAL', 'blob_missing', `The body ${sha256} is not stored.`)
        return
      }
      yield row.content
    }
  }
  await pipeline(parts, createWriteStream(file))
}
