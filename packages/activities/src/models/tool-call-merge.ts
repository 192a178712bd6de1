import type { ModelEvent, ToolCall } from './model.ts'

/** A fragment of a tool call as it comes in a stream; each field may be missing, and ids and names may be empty. */
export interface ToolCallFragment {
  index?: number | null
  id?: string | null
  function?: { name?: string | null; arguments?: unknown } | null
}

const madeUp = (turn: number, position: number): string => `call_${turn}_${position}`

/** Whether we had to invent an id, so that the provider knows nothing of it. */
export const isMadeUp = (id: string): boolean => /^call_\d+_\d+$/.test(id)

interface OpenCall extends ToolCall {
  index: number | undefined
}

/**
 * Puts streamed tool calls together. Fragments belong together by `index`; as seen in the wild, a new id opens a new
 * call even at an index in use, an empty id is none, arguments may be an object, and index and id may both be missing.
 */
export class ToolCallMerge {
  readonly #calls: OpenCall[] = []
  readonly #turn: number

  /** `turn` makes ids that we have to invent unique in the conversation. */
  constructor(turn: number) {
    this.#turn = turn
  }

  /**
   * Returns what the fragment adds, for those who watch: the name of a call that opens, with the arguments that came with
   * it; nothing when it adds nothing.
   */
  add(fragment: ToolCallFragment): Extract<ModelEvent, { kind: 'tool_use' }>[] {
    const id = fragment.id ?? ''
    const name = fragment.function?.name ?? ''
    const text = argumentsText(fragment.function?.arguments)
    const known = this.#find(fragment.index ?? undefined, id, name, text)
    if (known) {
      if (known.id === '') known.id = id
      if (known.name === '') known.name = name
      known.arguments += text
      return shown(text)
    }
    this.#calls.push({ index: fragment.index ?? undefined, id, name, arguments: text })
    return shown(name + text)
  }

  #find(index: number | undefined, id: string, name: string, text: string): OpenCall | undefined {
    const last =
      index === undefined
        ? id === ''
          ? this.#calls.at(-1)
          : this.#calls.findLast((call) => call.id === id)
        : this.#calls.findLast((call) => call.index === index)
    if (!last) return undefined
    if (id !== '' && last.id !== '' && id !== last.id) return undefined
    if (name === '' || last.name === '') return last
    if (name !== last.name) return undefined
    // The name again without an id: some repeat it with each fragment, others open the next call of the same tool.
    return text.trim() !== '' && id === '' && isJson(last.arguments) ? undefined : last
  }

  /** The calls as they are at the end, with ids unique within the turn and `{}` for no arguments at all. */
  finished(): ToolCall[] {
    const taken = new Set<string>()
    return this.#calls.map((call, position) => {
      const id = call.id !== '' && !taken.has(call.id) ? call.id : madeUp(this.#turn, position)
      taken.add(id)
      const text = call.arguments.trim()
      return { id, name: call.name, arguments: text === '' ? '{}' : text }
    })
  }
}

const shown = (text: string) => (text === '' ? [] : [{ kind: 'tool_use' as const, text }])

function argumentsText(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Whether the text is whole as it stands, so that what follows cannot belong to it. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
