import type pg from 'pg'

/**
 * Runs `work` in one transaction of its own: committed when it resolves, rolled back when it throws. Work that has sent its
 * last statement may call `commit`: it goes out right behind it, one round trip fewer, and where a statement has failed
 * Postgres takes it for a rollback.
 */
export async function transaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient, commit: () => void) => Promise<T>,
): Promise<T> {
  const client = await pool.connect()
  let end = (broken?: Error) => client.release(broken)
  let broken: Error | undefined
  let committed: Promise<unknown> | undefined
  const commit = () => {
    committed ??= client.query('commit')
    committed.catch(() => {}) // Heard of below, unless the work has failed.
  }
  try {
    // Not waited for: it goes out with the first statements of the work. Should it fail, those stand alone, and nothing may
    // follow them: the connection is ended at once.
    const begun = client.query('begin').catch((error: Error) => {
      end(error)
      end = () => {}
      throw error
    })
    const [result] = await Promise.all([work(client, commit), begun])
    commit()
    await committed
    return result
  } catch (error) {
    await client.query('rollback').catch((cause: unknown) => {
      // The connection is gone, and with it the transaction; the pool must not hand it out again.
      broken = cause instanceof Error ? cause : new Error(String(cause))
    })
    throw error
  } finally {
    end(broken)
  }
}
