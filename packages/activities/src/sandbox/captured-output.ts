/** One stream of a command: the head and the tail are kept, what is between them is counted. */
export class CapturedOutput {
  readonly #limit: number
  #head: Buffer[] = []
  #headBytes = 0
  #tail: Buffer[] = []
  #tailBytes = 0
  bytes = 0

  /** Keeps at most `limit` bytes, one half from the beginning and one from the end. */
  constructor(limit: number) {
    this.#limit = Math.floor(limit / 2)
  }

  push(piece: Buffer): void {
    this.bytes += piece.length
    const room = this.#limit - this.#headBytes
    if (room > 0) {
      this.#head.push(piece.subarray(0, room))
      this.#headBytes += Math.min(room, piece.length)
    }
    const rest = piece.subarray(Math.max(0, room))
    if (rest.length === 0) return
    this.#tail.push(rest)
    this.#tailBytes += rest.length
    if (this.#tailBytes < this.#limit * 4) return
    // Kept short now and then, and not with each piece.
    const tail = Buffer.concat(this.#tail).subarray(-this.#limit)
    this.#tail = [Buffer.from(tail)]
    this.#tailBytes = tail.length
  }

  /** What was kept, with a line in the middle that says how much is missing. */
  text(): string {
    const head = Buffer.concat(this.#head)
    const tail = Buffer.concat(this.#tail).subarray(-this.#limit)
    const missing = this.bytes - head.length - tail.length
    if (missing === 0) return Buffer.concat([head, tail]).toString('utf8')
    return `${head.toString('utf8')}\n[… ${missing} bytes are left out here …]\n${tail.toString('utf8')}`
  }
}
