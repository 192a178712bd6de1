/** A request of the Responses API, as far as the fake reads it. */
export interface ResponsesBody {
  model: string
  input: ResponsesItem[]
  instructions?: string
  tools?: { type: string; name: string }[]
  max_output_tokens?: number
  temperature?: number
  store?: boolean
  stream?: boolean
  include?: string[]
  [field: string]: unknown
}

interface ResponsesItem {
  type?: string
  role?: string
  id?: string
  content?: unknown
  call_id?: string
  name?: string
  arguments?: string
  output?: string
  summary?: unknown[]
  encrypted_content?: string | null
}

/** What the API would refuse in a body, in its words; `sealed` are the encrypted contents it has given out. */
export function faultOf(body: ResponsesBody, sealed: ReadonlySet<string>): string | undefined {
  const { input } = body
  for (const [place, item] of input.entries()) {
    const fault = faultAt(item, input, place, body.store === false, sealed)
    if (fault !== undefined) return fault
  }
  return undefined
}

function faultAt(
  item: ResponsesItem,
  input: ResponsesItem[],
  place: number,
  stateless: boolean,
  sealed: ReadonlySet<string>,
): string | undefined {
  const others = (type: string) =>
    input.some((other) => other.type === type && other.call_id === item.call_id)
  switch (item.type) {
    case 'reasoning': {
      if (stateless && !item.encrypted_content)
        return `Item with id '${item.id}' not found. Items are not persisted when \`store\` is set to false.`
      if (item.encrypted_content && !sealed.has(item.encrypted_content))
        return `The encrypted content for item ${item.id} could not be verified.`
      const next = input[place + 1]
      return next?.type === 'function_call' || next?.type === 'reasoning' || next?.role === 'assistant'
        ? undefined
        : `Item '${item.id}' of type 'reasoning' was provided without its required following item.`
    }
    case 'function_call':
      if (typeof item.arguments !== 'string')
        return `Invalid type for 'input[${place}].arguments': expected a string.`
      return others('function_call_output')
        ? undefined
        : `No tool output found for function call ${item.call_id}.`
    case 'function_call_output':
      return others('function_call')
        ? undefined
        : `No tool call found for function call output with call_id ${item.call_id}.`
    default:
      return undefined
  }
}
