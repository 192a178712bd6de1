import { createHash } from 'node:crypto'
import type pg from 'pg'

/** Bodies above this many UTF-8 bytes are stored apart, and the event holds their hash. */
export const LARGEST_INLINE_BODY = 8 * 1024

/** Hex SHA-256 of bytes or of text in UTF-8. */
export function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}

/** Keeps a body under its hash, for one run. Storing it again changes nothing. */
export async function putBlob(pool: pg.Pool, run: string, content: string | Buffer): Promise<string> {
  const hash = sha256(content)
  await pool.query({
    name: 'put-blob',
    text: `insert into devflow.blobs (run_id, sha256, tenant, content)
           select run_id, $2, tenant, $3 from devflow.run_heads where run_id = $1 on conflict do nothing`,
    values: [run, hash, Buffer.isBuffer(content) ? content : Buffer.from(content)],
  })
  return hash
}

/** A body by its hash; undefined when the run holds none. */
export async function getBlob(pool: pg.Pool, run: string, hash: string): Promise<Buffer | undefined> {
  const { rows } = await pool.query<{ content: Buffer }>({
    name: 'get-blob',
    text: 'select content from devflow.blobs where run_id = $1 and sha256 = $2',
    values: [run, hash],
  })
  return rows[0]?.content
}
