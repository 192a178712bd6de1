type Detail = Record<string, unknown>

/** What goes back with the assistant's message on the next turn, as fields of that message. */
export interface Reasoning {
  reasoning?: string
  reasoning_content?: string
  reasoning_details?: Detail[]
}

/**
 * Gathers a model's reasoning for the next request. Texts and summaries that come in fragments at one index become one
 * item, which takes the signature that follows them; all else is kept as it came and in its order. Providers check
 * these items byte for byte and refuse the conversation when one is changed or missing.
 */
export class ReasoningMerge {
  readonly #details: Detail[] = []
  #hasDetails = false
  #text = ''
  #name: 'reasoning' | 'reasoning_content' = 'reasoning'

  /** An empty list counts too: some models want it back. */
  addDetails(details: readonly unknown[]): void {
    this.#hasDetails = true
    for (const detail of details) if (isDetail(detail)) this.#add(detail)
  }

  /** Goes back under the name it came by. */
  addText(text: string, name: 'reasoning' | 'reasoning_content'): void {
    this.#name = name
    this.#text += text
  }

  #add(detail: Detail): void {
    const last = this.#details.at(-1)
    const field = detail.type === 'reasoning.text' ? 'text' : 'summary'
    const mergeable = detail.type === 'reasoning.text' || detail.type === 'reasoning.summary'
    if (!last || !mergeable || !sameItem(last, detail)) {
      this.#details.push({ ...detail })
      return
    }
    for (const [key, value] of Object.entries(detail)) {
      if (key === field && typeof value === 'string' && typeof last[key] === 'string') last[key] += value
      else if (value !== null && value !== undefined) last[key] = value
    }
  }

  finished(): Reasoning | undefined {
    if (this.#hasDetails) return { reasoning_details: this.#details }
    return this.#text === '' ? undefined : { [this.#name]: this.#text }
  }
}

const isDetail = (value: unknown): value is Detail =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A signed item is closed: what follows at the same index is another. */
const sameItem = (last: Detail, next: Detail): boolean =>
  last.type === next.type &&
  last.index === next.index &&
  (last.id ?? null) === (next.id ?? last.id ?? null) &&
  (last.signature === undefined || last.signature === null)
