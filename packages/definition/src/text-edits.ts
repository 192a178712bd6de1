export interface Range {
  start: number
  end: number
}

/** A piece of a text with some of its parts replaced or put between brackets, and the way back from there. */
export class Edits {
  readonly #source: string
  readonly #whole: Range
  readonly #replaced = new Map<number, { end: number; text: string }>()
  readonly #opened = new Map<number, string>()
  readonly #closed = new Map<number, string>()

  constructor(source: string, whole: Range) {
    this.#source = source
    this.#whole = whole
  }

  replace({ start, end }: Range, text: string): void {
    this.#replaced.set(start, { end, text })
  }

  /** Of two around the same part, the one said first is the outer one. */
  around({ start, end }: Range, open: string, close: string): void {
    this.#opened.set(start, (this.#opened.get(start) ?? '') + open)
    this.#closed.set(end, close + (this.#closed.get(end) ?? ''))
  }

  /** The new text, and for each of its characters where in the source it comes from. */
  result(): { text: string; origins: Range[] } {
    let text = ''
    const origins: Range[] = []
    const put = (piece: string | undefined, start: number, end: number) => {
      text += piece ?? ''
      for (let i = 0; i < (piece?.length ?? 0); i++) origins.push({ start, end })
    }
    let at = this.#whole.start
    while (at < this.#whole.end) {
      put(this.#closed.get(at), at, at)
      put(this.#opened.get(at), at, at)
      const { end, text: piece } = this.#replaced.get(at) ?? { end: at + 1, text: this.#source[at] ?? '' }
      put(piece, at, end)
      at = end
    }
    put(this.#closed.get(at), at, at)
    return { text, origins }
  }
}
