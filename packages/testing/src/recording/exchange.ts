/** One request to a provider and its answer, as they went over the wire, without what is nobody else's business. */
export interface Exchange {
  format: 1
  /** Counts the exchanges of a recording from 1, in the order of their requests. */
  n: number
  /** From the start of the recording to the request, in ms. */
  atMs: number
  request: {
    method: string
    /** Below the base URL, with the query. */
    path: string
    body?: unknown
  }
  response: {
    status: number
    headers: Record<string, string>
    /** The text as it came, cut after each server-sent event. */
    pieces: Piece[]
    /** `cut`: the provider broke it off. `left`: the client went before its end. */
    end: 'whole' | 'cut' | 'left'
  }
}

/** A piece of a body, and when its last byte had come, in ms from the request. */
export interface Piece {
  ms: number
  text: string
}

export const textOf = ({ response }: Exchange): string => response.pieces.map(({ text }) => text).join('')

/** The JSON documents of a body: one an event, or the whole of it; what is no JSON is left out. */
export function documentsOf(text: string): unknown[] {
  const events = [...text.matchAll(/^data: ?(.+)$/gm)].map(([, data = '']) => data)
  return (events.length > 0 ? events : [text]).flatMap((data) => {
    try {
      return [JSON.parse(data)]
    } catch {
      // `[DONE]`, a page in HTML, an event that was cut.
      return []
    }
  })
}

/** What the provider says a reply cost, in USD; undefined when it does not say. The last figure is the one that counts. */
export function costUsdIn(text: string): number | undefined {
  return documentsOf(text)
    .map((document) => (document as { usage?: { cost?: unknown } } | null)?.usage?.cost)
    .filter((cost) => typeof cost === 'number')
    .at(-1)
}
