import type pg from 'pg'
import { openPool } from './open-pool.ts'

export interface PokerOptions {
  /** Pokes of this many ms go out together; 3 unless told. */
  groupMs?: number
  /** Told when pokes could not be sent. They are dropped: whoever listens also looks by itself now and then. */
  onProblem?: (error: unknown) => void
}

/**
 * Wakes listeners, apart from the transactions it tells of: NOTIFY takes a database-wide lock at commit, so all that
 * a process has to say goes out in groups, on one connection that does not wait for its commit to reach the disk.
 */
export class Poker {
  readonly #pool: pg.Pool
  readonly #groupMs: number
  readonly #onProblem: (error: unknown) => void
  readonly #pokes = new Map<string, Set<string>>()
  #timer: NodeJS.Timeout | undefined
  #sending: Promise<void> = Promise.resolve()

  constructor(databaseUrl: string, { groupMs = 3, onProblem = () => {} }: PokerOptions = {}) {
    this.#groupMs = groupMs
    this.#onProblem = onProblem
    this.#pool = openPool(
      databaseUrl,
      {
        max: 1,
        application_name: 'devflow-poker',
        options: '-c synchronous_commit=off',
        connectionTimeoutMillis: 2_000,
        query_timeout: 5_000,
      },
      onProblem,
    )
  }

  /** Pokes a channel soon. Pokes that say the same go out once. Never throws. */
  poke(channel: string, payload = ''): void {
    const payloads = this.#pokes.get(channel) ?? new Set()
    this.#pokes.set(channel, payloads.add(payload))
    this.#timer ??= setTimeout(() => this.#flush(), this.#groupMs)
  }

  /** Sends what is left and closes the connection. */
  async close(): Promise<void> {
    this.#flush()
    await this.#sending
    await this.#pool.end()
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const pokes = [...this.#pokes].flatMap(([channel, payloads]) =>
      [...payloads].map((payload) => ({ channel, payload })),
    )
    this.#pokes.clear()
    if (pokes.length > 0) this.#sending = this.#sending.then(() => this.#send(pokes))
  }

  async #send(pokes: { channel: string; payload: string }[]): Promise<void> {
    try {
      await this.#pool.query({
        name: 'poke',
        text: 'select pg_notify(p.channel, p.payload) from unnest($1::text[], $2::text[]) as p(channel, payload)',
        values: [pokes.map((poke) => poke.channel), pokes.map((poke) => poke.payload)],
      })
    } catch (error) {
      this.#onProblem(error)
    }
  }
}
