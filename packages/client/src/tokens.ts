import { follow, isChunk, isReset, type RunEnd } from './follow.ts'
import type { Transport } from './transport.ts'

/** Which turn of a run. */
interface Turn {
  phase: string
  attempt: number
  turn: number
}

/**
 * A piece of what a model says, or thinks; or word that all a turn has said so far is void, because its call broke off
 * and is made again: forget that turn's text, what follows replaces it.
 */
export type TokenItem =
  | ({ type: 'token' | 'thinking'; text: string; seq: number } & Turn)
  | ({ type: 'reset'; seq: number } & Turn)

export interface TokenOptions {
  /** Begin after this seq; from the first event unless told. */
  after?: number
  /** Only this phase. */
  phase?: string
  /** What the model thinks too. */
  thinking?: boolean
  signal?: AbortSignal
}

/** See `Runs.tokens`. */
export async function* tokens(
  transport: Transport,
  id: string,
  { after, phase: only, thinking = false, signal }: TokenOptions,
): AsyncGenerator<TokenItem, RunEnd, undefined> {
  const log = follow(transport, id, { after, chunks: true, types: ['chunk', 'chunk.reset'], signal })
  try {
    while (true) {
      const { done, value } = await log.next()
      if (done) return value
      if (isReset(value)) {
        const { phase, attempt, turn, seq } = value
        if (only === undefined || phase === only) yield { type: 'reset', phase, attempt, turn, seq }
      } else if (isChunk(value)) {
        const { phase, attempt, turn, seq, kind, text } = value
        const isWanted = kind === 'token' || (kind === 'thinking' && thinking)
        if (isWanted && text && (only === undefined || phase === only))
          yield { type: kind, text, phase, attempt, turn, seq }
      }
    }
  } finally {
    await log.return(undefined as never)
  }
}

export interface TurnText extends Turn {
  text: string
}

/** The text of a run so far: what is void is dropped, and so is what an earlier attempt at a phase said. */
export class StreamedText {
  readonly #turns = new Map<string, TurnText>()

  add(item: TokenItem): this {
    const { phase, attempt, turn } = item
    const key = JSON.stringify([phase, attempt, turn])
    for (const [other, said] of this.#turns)
      if (said.phase === phase && said.attempt < attempt) this.#turns.delete(other)
    if (item.type === 'reset') this.#turns.delete(key)
    if (item.type === 'token') {
      const text = (this.#turns.get(key)?.text ?? '') + item.text
      this.#turns.set(key, { phase, attempt, turn, text })
    }
    return this
  }

  /** Turns that have said something, in the order in which they began. */
  get turns(): TurnText[] {
    return [...this.#turns.values()]
  }

  /** Turns as paragraphs. */
  get text(): string {
    return this.turns.map(({ text }) => text).join('\n\n')
  }
}

/** What was said in the end, once all is said. */
export async function finalText(items: AsyncIterable<TokenItem>): Promise<string> {
  const said = new StreamedText()
  for await (const item of items) said.add(item)
  return said.text
}
