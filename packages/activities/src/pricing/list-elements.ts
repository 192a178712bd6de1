/** An element of the list: its JSON text, or undefined where it was too long to keep. */
export type Element = string | undefined

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/**
 * The elements of `{"data": […]}`, as the body comes in: of a body of any length only one element is held at a time.
 * Throws a `SyntaxError` where the body has no such list or ends inside it.
 */
export async function* listElements(
  body: AsyncIterable<Uint8Array>,
  mostCharacters: number,
): AsyncGenerator<Element> {
  const decoder = new TextDecoder()
  const scanner = new Scanner(mostCharacters)
  for await (const bytes of body) {
    yield* scanner.take(decoder.decode(bytes, { stream: true }))
    if (scanner.isOver) return
  }
  throw new SyntaxError(
    scanner.isInside ? 'the list broke off before its end' : 'there is no list under `data` in the answer',
  )
}

/** Follows JSON's nesting and strings, and nothing else of it: each element is parsed by whoever wants it. */
class Scanner {
  readonly #mostCharacters: number
  #depth = 0
  #inString = false
  #escaped = false
  /** The last string at depth 1, which may be the key `data`. */
  #word = ''
  #inside = false
  #over = false
  #element = ''
  #tooLong = false

  constructor(mostCharacters: number) {
    this.#mostCharacters = mostCharacters
  }

  get isInside(): boolean {
    return this.#inside
  }

  get isOver(): boolean {
    return this.#over
  }

  *take(text: string): Generator<Element> {
    let from = 0
    for (let at = 0; at < text.length && !this.#over; at += 1) {
      const code = text.charCodeAt(at)
      if (this.#inString) this.#takeInString(code, text.charAt(at))
      else if (code === QUOTE) {
        this.#inString = true
        this.#word = ''
      } else if (code === OPEN_BRACKET || code === OPEN_BRACE) {
        this.#depth += 1
        if (!this.#inside && this.#depth === 2 && code === OPEN_BRACKET && this.#word === 'data') {
          this.#inside = true
          from = at + 1
        }
      } else if (code === CLOSE_BRACKET || code === CLOSE_BRACE) {
        this.#depth -= 1
        if (this.#inside && this.#depth === 1) {
          yield* this.#end(text.slice(from, at))
          this.#over = true
        }
      } else if (code === COMMA && this.#inside && this.#depth === 2) {
        yield* this.#end(text.slice(from, at))
        from = at + 1
      } else if (code === COMMA && this.#depth === 1) this.#word = ''
    }
    if (this.#inside && !this.#over) this.#keep(text.slice(from))
  }

  #takeInString(code: number, character: string): void {
    if (this.#escaped) this.#escaped = false
    else if (code === BACKSLASH) this.#escaped = true
    else if (code === QUOTE) {
      this.#inString = false
      return
    }
    if (this.#depth === 1 && this.#word.length < 8) this.#word += character
  }

  #keep(text: string): void {
    if (this.#tooLong || this.#element.length + text.length > this.#mostCharacters) {
      this.#tooLong = true
      this.#element = ''
    } else this.#element += text
  }

  *#end(text: string): Generator<Element> {
    this.#keep(text)
    const element = this.#tooLong ? undefined : this.#element.trim()
    this.#element = ''
    this.#tooLong = false
    // Nothing stands between the brackets of an empty list.
    if (element !== '') yield element
  }
}
