import { type Figures, readFigures } from '@devflow/db'
import type pg from 'pg'
import type { Readiness } from './readiness.ts'

/** However often the figures are asked for, Postgres and Temporal are looked at no more often than this. */
const FRESH_MS = 5_000

export interface Stands {
  /** Undefined when Postgres did not answer. */
  figures: Figures | undefined
  missing: ReadonlySet<string>
}

/** How things stand over all runs, looked up now and then for those who ask. */
export class Standing {
  readonly #sources: { pool: pg.Pool; readiness: Readiness }
  #last: { at: number; stands: Promise<Stands> } | undefined

  constructor(sources: { pool: pg.Pool; readiness: Readiness }) {
    this.#sources = sources
  }

  /** Never rejects. */
  async now(): Promise<Stands> {
    if (!this.#last || performance.now() - this.#last.at > FRESH_MS)
      this.#last = { at: performance.now(), stands: this.#look() }
    return await this.#last.stands
  }

  async #look(): Promise<Stands> {
    const { pool, readiness } = this.#sources
    const [figures, missing] = await Promise.all([
      // That Postgres is away is itself a figure: `devflow_ready`.
      readFigures(pool).catch(() => undefined),
      readiness.missing(),
    ])
    return { figures, missing: new Set(missing.map(({ part }) => part)) }
  }
}
