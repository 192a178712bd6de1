import { z } from 'zod'

/** What a function's process says of its call. */
const Said = z.union([
  z.strictObject({ begun: z.literal(true) }),
  z.strictObject({ output: z.unknown(), left: z.int().nonnegative() }),
  z.strictObject({ error: z.string() }),
  z.strictObject({ log: z.string() }),
])
export type Said = z.infer<typeof Said>

/** Levels of lists and objects in each other: what comes later goes through them one in another. */
const DEEPEST = 100

/** A line that began with the call's token; undefined when it is no message. */
export function readMessage(json: string): Said | undefined {
  if (depthOf(json) > DEEPEST) return undefined
  try {
    return Said.safeParse(JSON.parse(json)).data
  } catch {
    return undefined
  }
}

function depthOf(json: string): number {
  let depth = 0
  let deepest = 0
  let inText = false
  for (let at = 0; at < json.length; at += 1) {
    const char = json.charCodeAt(at)
    if (inText) {
      if (char === 0x5c) at += 1
      else if (char === 0x22) inText = false
    } else if (char === 0x22) inText = true
    else if (char === 0x5b || char === 0x7b) deepest = Math.max(deepest, ++depth)
    else if (char === 0x5d || char === 0x7d) depth -= 1
  }
  return deepest
}

/** The lines of a process that begin with a token, of all it prints. What it prints otherwise is counted and dropped. */
export class TokenLines {
  readonly #most: number
  readonly #onFlood: () => void
  #token: string | undefined
  #onLine: (json: string) => void = () => {}
  #pieces: Buffer[] = []
  #bytes = 0

  /** `most`: bytes it may print for one call, or after it. */
  constructor(most: number, onFlood: () => void) {
    this.#most = most
    this.#onFlood = onFlood
  }

  /** From now on lines are listened for under this token; none without one. */
  listen(token?: string, onLine: (json: string) => void = () => {}): void {
    this.#token = token
    this.#onLine = onLine
    this.#bytes = 0
  }

  push(piece: Buffer): void {
    this.#bytes += piece.length
    if (this.#bytes > this.#most) {
      this.#pieces = []
      this.#onFlood()
      return
    }
    let rest = piece
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const line = Buffer.concat([...this.#pieces, rest.subarray(0, end)]).toString('utf8')
      this.#pieces = []
      if (this.#token !== undefined && line.startsWith(this.#token))
        this.#onLine(line.slice(this.#token.length))
      rest = rest.subarray(end + 1)
    }
    if (rest.length > 0) this.#pieces.push(rest)
  }
}
