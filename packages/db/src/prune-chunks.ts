import type pg from 'pg'

/** Chunks that go in one transaction: what a step may hold up, a retry of that run above all, stays short. */
const STEP = 10_000

/** Deletes the chunks of runs that ended before `before`, step by step; how many went. Ends early when `signal` aborts. */
export async function pruneChunks(
  pool: pg.Pool,
  before: Date,
  { step = STEP, signal }: { step?: number; signal?: AbortSignal } = {},
): Promise<number> {
  for (let gone = 0; ; ) {
    if (signal?.aborted) return gone
    const { rows } = await pool.query<{ n: string }>('select devflow.prune_chunks($1, $2) as n', [
      before,
      step,
    ])
    const n = Number(rows[0]?.n)
    if (n === 0) return gone
    gone += n
  }
}
