import { EventEmitter } from 'node:events'
import { Decimal } from 'decimal.js'
import { microUsd } from './prices.ts'
import type { ChatBody } from './reply.ts'

/** One chat request and what it cost, as the provider's own books say. Times are epoch milliseconds. */
export interface RecordedRequest {
  /** The generation's id. */
  id: string
  n: number
  session: string
  at: number
  model: string
  body: ChatBody
  headers: Record<string, string>
  /** HTTP status answered, once it is. */
  status?: number
  /** Completion tokens produced so far. */
  producedTokens: number
  /** Bytes of a streamed answer that the system took so far: it stands still while the client does not read. */
  sentBytes: number
  /** When the client was seen to have gone before the end. */
  abortedAt?: number
  /** When the last byte was sent. */
  finishedAt?: number
  /** Exact, at most six decimals; zero until the request has ended. */
  billedMicroUsd: number
}

/** What `/generation` knows beside the record. */
export interface Settled {
  usd: Decimal
  promptTokens: number
  completionTokens: number
  cachedTokens: number
  provider: string
  modelUsed: string
  finish: string | null
  misses: number
}

/** Keeps the requests in their order and tells whoever waits of each change. */
export class Recorder {
  readonly requests: RecordedRequest[] = []
  readonly looks: string[] = []
  readonly #settled = new Map<string, Settled>()
  /** Any number of tests may wait at once. */
  readonly #changes = new EventEmitter().setMaxListeners(0)

  add(record: RecordedRequest): void {
    this.requests.push(record)
    this.changed()
  }

  settle(record: RecordedRequest, settled: Settled): void {
    record.billedMicroUsd = microUsd(settled.usd).toNumber()
    this.#settled.set(record.id, settled)
    this.changed()
  }

  changed(): void {
    this.#changes.emit('change')
  }

  /** Undefined while `/generation` answers 404; each call is one look. */
  look(id: string): { record: RecordedRequest; settled: Settled } | undefined {
    this.looks.push(id)
    this.changed()
    const record = this.requests.find((request) => request.id === id)
    const settled = this.#settled.get(id)
    if (!record || !settled) return undefined
    if (settled.misses > 0) {
      settled.misses -= 1
      return undefined
    }
    return { record, settled }
  }

  billedUsd(): Decimal {
    return [...this.#settled.values()].reduce((sum, { usd }) => sum.plus(usd), new Decimal(0))
  }

  billedMicroUsd(): number {
    return this.requests
      .reduce((sum, { billedMicroUsd }) => sum.plus(billedMicroUsd), new Decimal(0))
      .toNumber()
  }

  /** Resolves once the condition holds, looked at after every change; rejects after `timeoutMs`. */
  waitFor(holds: () => boolean, timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        clearTimeout(timer)
        this.#changes.off('change', look)
        finish()
      }
      const look = () => {
        if (holds()) settle(resolve)
      }
      const timer = setTimeout(
        () =>
          settle(() =>
            reject(new Error(`not so within ${timeoutMs} ms; ${this.requests.length} requests came`)),
          ),
        timeoutMs,
      )
      this.#changes.on('change', look)
      look()
    })
  }
}
