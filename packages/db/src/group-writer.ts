import { randomUUID } from 'node:crypto'
import { DevflowError } from '@devflow/contracts'
import type pg from 'pg'
import {
  APPEND,
  type AppendRow,
  answersOf,
  appendValues,
  isChunk,
  type Party,
  partiesOf,
  type StorableLine,
  type StorableMember,
  storableLine,
} from './append-call.ts'
import type { Answer, Line, Member } from './append-types.ts'
import { LARGEST_INLINE_BODY, putBlob } from './blobs.ts'
import { foldSlices } from './budgets/fold-slices.ts'
import { failureKind } from './database-errors.ts'
import { openPool } from './open-pool.ts'
import { patiently } from './patiently.ts'

const MOST_MEMBERS = 256
const MOST_BYTES = 1024 * 1024
/**
 * Between two groups of nothing but chunks, in ms. Providers send them one by one, and a group's own price is that of
 * a hundred chunks: without a pace it would be paid for nearly each. Nobody sees the difference, and nothing else waits.
 */
const CHUNK_PACE_MS = 5

/** Types whose bodies may be stored apart: no projection reads them. */
const MAY_BE_APART = /^(turn|tool|function)\.|^artifact\.(proposed|rejected)$/

interface Waiting extends StorableMember {
  bytes: number
  /** Holds more than chunks: somebody waits for it before going on. */
  isUrgent: boolean
  resolve: (answer: Answer) => void
  reject: (error: unknown) => void
}

export interface GroupWriterOptions {
  /** How long a group goes on trying while Postgres is away, in ms; then its members fail with `database_away`. */
  patienceMs?: number
  /** Told once when Postgres goes away, and once when it answers again. */
  onAway?: (error: unknown) => void
  onBack?: () => void
  /** Told of each group that committed: how many members it had, and the ms from its sending to its answer. */
  onGroup?: (members: number, ms: number) => void
  /** Least time between two groups of nothing but chunks, in ms; 5 unless told. */
  chunkPaceMs?: number
}

/**
 * The write path of a process: appends of all its sessions and workflows go through here, grouped. One group is in
 * flight, and the next takes what queued meanwhile, in order. A member settles only when its group has committed.
 *
 * States of a group: sent → answered; or sent → lost connection → sent again (keys make that safe, I3); or sent →
 * refused for its data → split in halves until the guilty member fails alone, with its own error.
 */
export class GroupWriter {
  readonly #pool: pg.Pool
  readonly #blobs: pg.Pool
  readonly #options: GroupWriterOptions
  /** Whose slices of shared budgets this writer spends from. */
  readonly #owner = randomUUID()
  #queue: Waiting[] = []
  #flushing = false
  #away = false
  #closed = false
  #idle: (() => void)[] = []
  /** When the last group was sent, by `performance.now()`. */
  #sentAt = Number.NEGATIVE_INFINITY
  /** Ends a wait for more chunks. */
  #hurry: (() => void) | undefined
  /** Runs whose latest append still stores a body apart: their later appends wait for it. */
  readonly #offloading = new Map<string, Promise<undefined>>()

  /** `pool`: for bodies stored apart. The groups themselves use one connection of the writer's own. */
  constructor(databaseUrl: string, pool: pg.Pool, options: GroupWriterOptions = {}) {
    this.#blobs = pool
    this.#options = options
    // The cached plan halves the cost of a group; it needs a connection that keeps its prepared statements.
    this.#pool = openPool(
      databaseUrl,
      {
        max: 1,
        application_name: 'devflow-writer',
        options: '-c plan_cache_mode=force_generic_plan',
        connectionTimeoutMillis: 5_000,
      },
      () => {}, // An idle connection broke: the next group makes another.
    )
  }

  /**
   * Appends one member; resolves when it is committed, with its answer. Rejects with DevflowError INVALID
   * `unstorable` when its own data cannot be stored, UNAVAILABLE `database_away` when Postgres stayed away.
   */
  async append(member: Member): Promise<Answer> {
    if (this.#closed) throw new DevflowError('UNAVAILABLE', 'writer_closed', 'This process is shutting down.')
    const lines = member.lines.map((line) => this.#storable(member.run, line))
    const before = this.#offloading.get(member.run)
    // Without a body on its way to the blob table the member is queued at once: appends of a run keep their order.
    if (!before && lines.every(isReady)) return await this.#enqueue(member, lines)
    const ready = Promise.all([Promise.all(lines), before])
    const queued = ready.then(([texts]) => this.#enqueue(member, texts))
    const passed = ready.then(
      () => undefined,
      () => undefined,
    )
    this.#offloading.set(member.run, passed)
    void passed.then(() => {
      if (this.#offloading.get(member.run) === passed) this.#offloading.delete(member.run)
    })
    return await queued
  }

  async #enqueue(member: Member, lines: StorableLine[]): Promise<Answer> {
    return await new Promise<Answer>((resolve, reject) => {
      const bytes = lines.reduce((sum, { body }) => sum + (body?.length ?? 0), 0)
      const isUrgent = !member.lines.every(isChunk)
      this.#queue.push({ member, lines, bytes, isUrgent, resolve, reject })
      if (isUrgent) this.#hurry?.()
      if (!this.#flushing) {
        this.#flushing = true
        void this.#drain()
      }
    })
  }

  /** Waits for all that is queued, then closes the connection. Later appends are refused. */
  async close(): Promise<void> {
    this.#closed = true
    this.#hurry?.()
    if (this.#flushing) await new Promise<void>((resolve) => this.#idle.push(resolve))
    // What its slices have left is free at once. Where Postgres is away it is taken back once somebody needs it.
    await foldSlices(this.#pool, this.#owner).catch(() => {})
    await this.#pool.end()
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      // What is appended in the same turn of the event loop goes into one group: whoever was answered by the last one
      // has its say first.
      await new Promise((resolve) => setImmediate(resolve))
      await this.#paced()
      await this.#send(this.#take())
    }
    this.#flushing = false
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** Waits while nothing but chunks is queued and the last group was just now. */
  async #paced(): Promise<void> {
    const ms = this.#sentAt + (this.#options.chunkPaceMs ?? CHUNK_PACE_MS) - performance.now()
    if (ms > 0 && !this.#closed && !this.#queue.some(({ isUrgent }) => isUrgent)) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms)
        this.#hurry = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.#hurry = undefined
    }
    this.#sentAt = performance.now()
  }

  #take(): Waiting[] {
    let bytes = 0
    let count = 0
    while (count < this.#queue.length && count < MOST_MEMBERS) {
      bytes += this.#queue[count]?.bytes ?? 0
      if (count > 0 && bytes > MOST_BYTES) break
      count += 1
    }
    return this.#queue.splice(0, count)
  }

  /** Never throws: each member of the group is settled. */
  async #send(group: Waiting[]): Promise<void> {
    const sent = performance.now()
    try {
      const answers = await patiently(() => this.#append(group), {
        ...this.#options,
        onAway: (error) => this.#isAway(error),
      })
      this.#isBack()
      this.#options.onGroup?.(group.length, performance.now() - sent)
      for (const waiting of group) settle(waiting, answers.get(waiting))
    } catch (error) {
      if (failureKind(error) === 'poison') await this.#split(group, error)
      else for (const waiting of group) waiting.reject(error)
    }
  }

  async #append(group: Waiting[]): Promise<Map<StorableMember, Answer>> {
    try {
      return await this.#query(group, false)
    } catch (error) {
      // A line was there before, or twice in this group. In the same instant another process may write it to a run that
      // is new to both: a second careful look answers.
      if (!isUniqueViolation(error)) throw error
      return await this.#query(group, true).catch((again: unknown) => {
        if (!isUniqueViolation(again) || group.length > 1) throw again
        return this.#query(group, true)
      })
    }
  }

  async #query(group: Waiting[], careful: boolean): Promise<Map<StorableMember, Answer>> {
    // Who looks carefully tells each member of its own lines.
    const parties = careful ? group.map((one): Party => [one]) : partiesOf(group)
    const values = appendValues(parties, careful, this.#owner)
    const { rows } = await this.#pool.query<AppendRow>({ ...APPEND, values })
    return rows[0] ? answersOf(rows[0], parties) : new Map()
  }

  async #split(group: Waiting[], error: unknown): Promise<void> {
    const [only] = group
    if (group.length === 1 && only) {
      const message = error instanceof Error ? error.message : String(error)
      return only.reject(
        new DevflowError('INVALID', 'unstorable', `The log refused a record: ${message}`, { cause: error }),
      )
    }
    const middle = group.length >> 1
    await this.#send(group.slice(0, middle))
    await this.#send(group.slice(middle))
  }

  #isAway(error: unknown): void {
    if (!this.#away) this.#options.onAway?.(error)
    this.#away = true
  }

  #isBack(): void {
    if (this.#away) this.#options.onBack?.()
    this.#away = false
  }

  #storable(run: string, line: Line): StorableLine | Promise<StorableLine> {
    const stored = storableLine(line)
    const { body } = stored
    if (body === null || body.length <= LARGEST_INLINE_BODY || isChunk(line) || !MAY_BE_APART.test(line.type))
      return stored
    return patiently(() => putBlob(this.#blobs, run, body), this.#options).then((hash) => ({
      ...stored,
      body: JSON.stringify({ $blob: hash }),
    }))
  }
}

function settle({ resolve, reject }: Waiting, answer: Answer | undefined): void {
  if (answer) resolve(answer)
  else reject(new Error('the log answered nothing for a member'))
}

function isReady<T>(value: T | Promise<T>): value is T {
  return !(value instanceof Promise)
}

function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '23505'
}
