/** A piece of a reply's content: thought aloud between tags, or said. */
export interface Piece {
  kind: 'token' | 'thinking'
  text: string
}

const OPEN = '<think>'
const CLOSE = '</think>'

/**
 * Takes `<think>…</think>` out of a content that begins with it: some servers leave a model's thinking there. The tags
 * may be torn over any number of pieces. Tags further on are the model's own words and stay.
 */
export class ThinkTags {
  #state: 'before' | 'inside' | 'closed' | 'none' = 'before'
  #held = ''

  push(text: string): Piece[] {
    if (this.#state === 'none') return text === '' ? [] : [{ kind: 'token', text }]
    this.#held += text
    if (this.#state === 'before') {
      const start = this.#held.trimStart()
      if (start.startsWith(OPEN)) {
        this.#state = 'inside'
        this.#held = start.slice(OPEN.length)
      } else if (start === '' || OPEN.startsWith(start)) return []
      else {
        this.#state = 'none'
        return this.#release('token')
      }
    }
    const pieces = this.#state === 'inside' ? this.#inside() : []
    if (this.#state !== 'closed') return pieces
    // Blank lines between the thinking and the answer belong to neither.
    this.#held = this.#held.trimStart()
    if (this.#held === '') return pieces
    this.#state = 'none'
    return [...pieces, ...this.#release('token')]
  }

  /** What was held back, once the reply has ended. */
  rest(): Piece[] {
    return this.#release(this.#state === 'inside' ? 'thinking' : 'token')
  }

  #inside(): Piece[] {
    const end = this.#held.indexOf(CLOSE)
    const sure = end === -1 ? this.#held.length - torn(this.#held) : end
    const text = this.#held.slice(0, sure)
    this.#held = this.#held.slice(end === -1 ? sure : end + CLOSE.length)
    if (end !== -1) this.#state = 'closed'
    return text === '' ? [] : [{ kind: 'thinking', text }]
  }

  #release(kind: Piece['kind']): Piece[] {
    const text = this.#held
    this.#held = ''
    return text === '' ? [] : [{ kind, text }]
  }
}

/** How many characters at the end may be the beginning of the closing tag. */
function torn(text: string): number {
  for (let length = Math.min(CLOSE.length - 1, text.length); length > 0; length -= 1)
    if (CLOSE.startsWith(text.slice(-length))) return length
  return 0
}
