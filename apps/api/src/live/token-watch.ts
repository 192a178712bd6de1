import type { Token } from '@devflow/contracts'
import { isTokenAlive } from '@devflow/db'
import { repeat } from '@devflow/process'
import type pg from 'pg'

export interface TokenWatchOptions {
  pool: pg.Pool
  /** How often it is looked at: a token that has ended is seen within this time. */
  heartbeatMs: number
  onProblem: (error: unknown) => void
}

/** Calls `onEnd` once the token is revoked or has expired. Answers what ends the watch; who has no token has none. */
export function watchToken(
  token: Token | undefined,
  { pool, heartbeatMs, onProblem }: TokenWatchOptions,
  onEnd: () => void,
): () => void {
  if (!token) return () => {}
  const look = async () => {
    if (!(await isTokenAlive(pool, token.id))) onEnd()
  }
  const looking = repeat(heartbeatMs, look, onProblem)
  return () => void looking.stop()
}
