interface OllamaMessage {
  role: string
  content: string
  thinking?: string
  tool_name?: string
  tool_call_id?: string
  tool_calls?: { id?: string; function: { name: string; arguments: unknown } }[]
}

export interface OllamaBody {
  model: string
  messages: OllamaMessage[]
  tools?: { type: string; function: { name: string; parameters?: unknown } }[]
  stream?: boolean
  think?: boolean | string
  options?: { num_predict?: number; temperature?: number; num_ctx?: number }
  [field: string]: unknown
}

/** What the server would refuse a request for; undefined where it takes it. */
export function faultOf({ messages }: OllamaBody): string | undefined {
  for (const { role, tool_calls: calls = [] } of messages) {
    if (!['system', 'user', 'assistant', 'tool'].includes(role)) return `invalid role: ${role}`
    // Unlike other servers of its kind it takes arguments as objects, and fails to read a text.
    const text = calls.find((call) => typeof call.function.arguments !== 'object')
    if (text)
      return 'json: cannot unmarshal string into Go struct field ChatRequest.messages.tool_calls.function.arguments'
  }
  return undefined
}
