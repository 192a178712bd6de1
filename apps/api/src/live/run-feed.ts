import type { RunStatus } from '@devflow/contracts'
import { readHeads } from '@devflow/db'
import type pg from 'pg'
import { Change } from './change.ts'
import { type Frame, frameOf, joined } from './frames.ts'
import type { TailReader } from './tail-reader.ts'

/** What one ring may hold. */
const MOST_FRAMES = 2_000
const MOST_BYTES = 4 * 1024 * 1024
/** How far back a new ring begins, so that clients that come together share the reading. */
const LOOK_BACK = 1_000
const PAUSE_AFTER_ERROR_MS = 500
/**
 * Between two looks, in ms: a busy run is poked many times in this time, and one look answers them all. Each look costs a
 * write for each client, so the more there are the longer it is.
 */
const PACE_MS = 5
const PACE_MS_A_CLIENT = 0.05
const LONGEST_PACE_MS = 20

/** Frames in a row, and the cursor after them. `bytes`: all of them, as they go out; the same for every client. */
export interface Taken {
  frames: readonly Frame[]
  bytes: Uint8Array
  cursor: number
}

export interface RunFeedOptions {
  pool: pg.Pool
  tails: TailReader
  run: string
  chunks: boolean
  onProblem: (error: unknown) => void
}

/**
 * The one reader of a run in this process, for all its clients. The ring holds every row with floor < seq <= top.
 * States: starting (top undefined) → following → over (may follow again after a retry) | gone (deleted) | closed.
 */
export class RunFeed {
  readonly run: string
  readonly chunks: boolean
  /** Told when the ring has grown, or the run's state has changed. */
  readonly changed = new Change()
  /** How many follow it now. */
  clients = 0
  readonly #options: RunFeedOptions
  #ring: Frame[] = []
  /** What was taken last: clients that keep up ask for the same one after the other. */
  #taken: (Taken & { after: number; top: number }) | undefined
  #bytes = 0
  #floor = 0
  #top: number | undefined
  #end: { status: RunStatus; lastSeq: number } | undefined
  #gone = false
  #closed = false
  #reading = false
  #again = false
  #retry: NodeJS.Timeout | undefined

  constructor(options: RunFeedOptions) {
    this.#options = options
    this.run = options.run
    this.chunks = options.chunks
  }

  get gone(): boolean {
    return this.#gone
  }

  /** Nothing is known of the run yet. Who waits for the first look shares it with all who came at the same time. */
  get isStarting(): boolean {
    return this.#top === undefined && !this.#closed
  }

  /** The end of the run, when it is over and `cursor` has passed all of its log. */
  endAt(cursor: number): { status: RunStatus; lastSeq: number } | undefined {
    return this.#end && cursor >= this.#end.lastSeq ? this.#end : undefined
  }

  /**
   * The frames after `cursor`, some at a time, and the cursor after them. Undefined when the ring does not reach
   * back that far (or has not begun): the client then reads by itself.
   */
  take(cursor: number, mostBytes: number): Taken | undefined {
    const top = this.#top
    if (top === undefined || cursor < this.#floor) return undefined
    const last = this.#taken
    if (last?.after === cursor && last.top === top) return last
    const { frames, cursor: next } = this.#frames(cursor, top, mostBytes)
    this.#taken = { frames, cursor: next, bytes: joined(frames), after: cursor, top }
    return this.#taken
  }

  #frames(cursor: number, top: number, mostBytes: number): { frames: Frame[]; cursor: number } {
    const start = indexAfter(this.#ring, cursor)
    const frames: Frame[] = []
    let bytes = 0
    for (let i = start; i < this.#ring.length; i++) {
      const frame = this.#ring[i]
      if (!frame || (bytes > 0 && bytes + frame.bytes.length > mostBytes)) break
      frames.push(frame)
      bytes += frame.bytes.length
    }
    const isAll = start + frames.length >= this.#ring.length
    return { frames, cursor: Math.max(cursor, isAll ? top : (frames.at(-1)?.seq ?? cursor)) }
  }

  /** Looks for what is new. Never throws; one look at a time, and another after it when asked meanwhile. */
  wake(): void {
    this.#again = true
    if (!this.#reading && !this.#closed) void this.#read()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#retry)
    this.#ring = []
    this.#taken = undefined
    this.changed.tell()
  }

  async #read(): Promise<void> {
    this.#reading = true
    clearTimeout(this.#retry)
    try {
      this.#top ??= await this.#begin()
      while (this.#again && !this.#closed && !this.#gone) {
        this.#again = false
        while (await this.#readPage()) {
          if (this.#closed) break
        }
        await new Promise((resolve) => setTimeout(resolve, this.#paceMs()))
      }
    } catch (error) {
      this.#options.onProblem(error)
      if (!this.#closed) this.#retry = setTimeout(() => this.wake(), PAUSE_AFTER_ERROR_MS)
    } finally {
      this.#reading = false
    }
  }

  #paceMs(): number {
    return Math.min(LONGEST_PACE_MS, PACE_MS + this.clients * PACE_MS_A_CLIENT)
  }

  async #begin(): Promise<number> {
    const [head] = await readHeads(this.#options.pool, undefined, [this.run])
    this.#floor = Math.max(0, (head?.lastSeq ?? 0) - LOOK_BACK)
    return this.#floor
  }

  /** Whether there may be more. */
  async #readPage(): Promise<boolean> {
    const after = this.#top ?? 0
    const page = await this.#options.tails.read({ run: this.run, after, chunks: this.chunks })
    if (this.#closed) return false
    if (!page) {
      this.#gone = true
      this.changed.tell()
      return false
    }
    for (const event of page.items) this.#push(frameOf(event))
    this.#top = page.nextAfter
    this.#end = page.done ? { status: page.status, lastSeq: page.lastSeq } : undefined
    this.changed.tell()
    return page.nextAfter > after && page.nextAfter < page.lastSeq
  }

  #push(frame: Frame): void {
    this.#ring.push(frame)
    this.#bytes += frame.bytes.length
    let dropped = 0
    while (
      this.#ring.length - dropped > MOST_FRAMES ||
      (this.#bytes > MOST_BYTES && dropped < this.#ring.length - 1)
    ) {
      const oldest = this.#ring[dropped]
      if (!oldest) break
      this.#bytes -= oldest.bytes.length
      this.#floor = oldest.seq
      dropped += 1
    }
    if (dropped > 0) this.#ring.splice(0, dropped)
  }
}

/** Index of the first frame with a seq above `cursor`. */
function indexAfter(ring: readonly Frame[], cursor: number): number {
  let low = 0
  let high = ring.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ring[middle]?.seq ?? 0) <= cursor) low = middle + 1
    else high = middle
  }
  return low
}
