import { changedRuns, listGates, type RunFilter, readClock, readPokes } from '@devflow/db'
import type pg from 'pg'
import { Change } from './change.ts'
import { cursorFrame, heartbeat, pokeFrame } from './frames.ts'
import type { Watch } from './watch.ts'

export interface PokeFilter extends RunFilter {
  kind: 'runs' | 'gates'
}

export interface PokeHubOptions {
  pool: pg.Pool
  watch: Watch
  /** Runs that grew within this time are looked at together, in ms; 50 unless told. */
  groupMs?: number
  onProblem: (error: unknown) => void
}

interface Poke {
  key: string
  /** Two pokes of a key that say the same are one. */
  says: string
  data: unknown
}

interface Client {
  filter: PokeFilter
  /** The latest poke of each run or gate that has not gone out yet. */
  pending: Map<string, Poke>
  /** What went out last, so that a run's many rows do not repeat what a gate is. */
  said: Map<string, string>
  /** All changes before this time went out. */
  since: Date
  /** All changes before this time went out or are pending. */
  gathered: Date
  /** Changes may have been missed: those after `since` are to be looked up. */
  behind: boolean
  changed: Change
}

/** What a slow client may have waiting before it is made to look up instead. */
const MOST_PENDING = 5_000
const MOST_SAID = 20_000
const PAGE = 500
/** A change carries the time of its lock, not of its commit: so much earlier is looked again. */
const COMMIT_GRACE_MS = 30_000

/** Pokes over many runs: at least once, latest state only. */
export class PokeHub {
  readonly #options: PokeHubOptions
  readonly #clients = new Set<Client>()
  #grown = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #unwatch: (() => void) | undefined

  constructor(options: PokeHubOptions) {
    this.#options = options
  }

  get clients(): number {
    return this.#clients.size
  }

  /** A client's stream: from `since`, or from now on. */
  async *follow(
    filter: PokeFilter,
    { since, heartbeatMs }: { since?: Date; heartbeatMs: number },
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const { pool } = this.#options
    const start = since ?? (await readClock(pool))
    const client: Client = {
      filter,
      pending: new Map(),
      said: new Map(),
      since: start,
      gathered: start,
      behind: since !== undefined,
      changed: new Change(),
    }
    this.#join(client)
    try {
      yield cursorFrame(cursorOf(client.since))
      while (!signal.aborted) {
        const { version } = client.changed
        if (client.behind) yield* this.#catchUp(client)
        const pokes = [...client.pending.values()]
        const { gathered } = client
        client.pending.clear()
        for (const poke of pokes) if (isNews(client, poke)) yield frameFor(client, poke)
        if (!client.behind) client.since = gathered
        if (pokes.length > 0 || client.behind) continue
        if (!(await client.changed.within(heartbeatMs, signal, version)) && !signal.aborted) {
          yield heartbeat(cursorOf(client.since))
          yield cursorFrame(cursorOf(client.since))
        }
      }
    } finally {
      this.#leave(client)
    }
  }

  async *#catchUp(client: Client): AsyncGenerator<Uint8Array> {
    client.behind = false
    const { pool } = this.#options
    const { since, filter } = client
    const now = await readClock(pool)
    for (let cursor: string | undefined; ; ) {
      const runs = await changedRuns(pool, filter, since, { cursor, limit: PAGE })
      cursor = runs.at(-1)?.runId
      const ids = runs.map((run) => run.runId)
      const pokes = filter.kind === 'runs' ? runs.map(runPoke) : await this.#gatePokes(filter, ids)
      for (const poke of pokes) if (isNews(client, poke)) yield frameFor(client, poke)
      if (runs.length < PAGE) break
    }
    client.since = new Date(now.getTime() - COMMIT_GRACE_MS)
    if (client.gathered < client.since) client.gathered = client.since
    yield cursorFrame(cursorOf(client.since))
  }

  #join(client: Client): void {
    this.#clients.add(client)
    this.#unwatch ??= this.#options.watch.all({
      grew: (run) => {
        this.#grown.add(run)
        this.#timer ??= setTimeout(() => void this.#flush(), this.#options.groupMs ?? 50)
      },
      lookAgain: () => {
        for (const each of this.#clients) fallBehind(each)
      },
    })
  }

  #leave(client: Client): void {
    this.#clients.delete(client)
    if (this.#clients.size > 0) return
    this.#unwatch?.()
    this.#unwatch = undefined
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#grown.clear()
  }

  /** Never throws: clients that could not be told look up for themselves. */
  async #flush(): Promise<void> {
    const runs = [...this.#grown]
    this.#grown = new Set()
    this.#timer = undefined
    for (const clients of Map.groupBy(this.#clients, ({ filter }) => JSON.stringify(filter)).values()) {
      const [first] = clients
      if (!first) continue
      try {
        const now = await readClock(this.#options.pool)
        const pokes = await this.#pokesOf(first.filter, runs)
        for (const client of clients) hand(client, pokes, now)
      } catch (error) {
        this.#options.onProblem(error)
        for (const client of clients) fallBehind(client)
      }
    }
  }

  async #pokesOf(filter: PokeFilter, runs: string[]): Promise<Poke[]> {
    if (filter.kind === 'gates') return await this.#gatePokes(filter, runs)
    return (await readPokes(this.#options.pool, filter, runs)).map(runPoke)
  }

  async #gatePokes(filter: PokeFilter, runs: string[]): Promise<Poke[]> {
    if (runs.length === 0) return []
    const { items } = await listGates(this.#options.pool, { ...filter, runs }, { limit: 10_000 })
    return items.map((gate) => ({ key: `${gate.runId}/${gate.id}`, says: JSON.stringify(gate), data: gate }))
  }
}

const runPoke = (run: { runId: string; status: string; lastSeq: number }): Poke => ({
  key: run.runId,
  says: `${run.status}/${run.lastSeq}`,
  data: run,
})

function hand(client: Client, pokes: readonly Poke[], now: Date): void {
  for (const poke of pokes) client.pending.set(poke.key, poke)
  if (client.pending.size > MOST_PENDING) {
    client.pending.clear()
    fallBehind(client)
    return
  }
  client.gathered = new Date(Math.max(client.gathered.getTime(), now.getTime() - COMMIT_GRACE_MS))
  client.changed.tell()
}

function fallBehind(client: Client): void {
  client.behind = true
  client.changed.tell()
}

function isNews(client: Client, { key, says }: Poke): boolean {
  if (client.said.get(key) === says) return false
  if (client.said.size >= MOST_SAID) client.said.clear()
  client.said.set(key, says)
  return true
}

function frameFor(client: Client, poke: Poke): Uint8Array {
  return pokeFrame(client.filter.kind === 'runs' ? 'run' : 'gate', cursorOf(client.since), poke.data)
}

/** Opaque to clients: the time up to which they have been told. */
function cursorOf(since: Date): string {
  return Buffer.from(since.toISOString()).toString('base64url')
}

/** The time in a cursor; undefined for what `cursorOf` has not made. */
export function sinceOf(cursor: string): Date | undefined {
  const text = Buffer.from(cursor, 'base64url').toString()
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text) && !Number.isNaN(Date.parse(text))
    ? new Date(text)
    : undefined
}
