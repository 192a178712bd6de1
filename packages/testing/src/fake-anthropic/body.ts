export interface AnthropicBlock {
  type: string
  text?: string
  id?: string
  name?: string
  input?: unknown
  tool_use_id?: string
  content?: unknown
  thinking?: string
  signature?: string
  data?: string
  cache_control?: { type: string }
}

interface AnthropicMessage {
  role: string
  content: string | AnthropicBlock[]
}

export interface AnthropicBody {
  model: string
  max_tokens: number
  system?: string | AnthropicBlock[]
  messages: AnthropicMessage[]
  tools?: { name: string; description?: string; input_schema: unknown; cache_control?: { type: string } }[]
  temperature?: number
  stream?: boolean
  [field: string]: unknown
}

const MOST_BREAKPOINTS = 4

/** What the API would refuse a request for; undefined where it takes it. `sealed`: thinking by its signature. */
export function faultOf(body: AnthropicBody, sealed: ReadonlyMap<string, string>): string | undefined {
  if (!Number.isInteger(body.max_tokens) || body.max_tokens < 1) return 'max_tokens: Field required'
  if (body.messages[0]?.role !== 'user') return 'messages: first message must use the "user" role'
  const breakpoints = JSON.stringify(body).match(/"cache_control":\{/g)?.length ?? 0
  if (breakpoints > MOST_BREAKPOINTS)
    return `A maximum of ${MOST_BREAKPOINTS} blocks with cache_control may be provided. Found ${breakpoints}.`
  for (const [index, message] of body.messages.entries()) {
    const fault = faultIn(message, body.messages[index - 1], sealed)
    if (fault !== undefined) return `messages.${index}: ${fault}`
  }
  const last = body.messages.at(-1)
  if (last?.role === 'assistant') return 'This model does not support assistant message prefill.'
  return undefined
}

function faultIn(
  { role, content }: AnthropicMessage,
  before: AnthropicMessage | undefined,
  sealed: ReadonlyMap<string, string>,
): string | undefined {
  if (role !== 'user' && role !== 'assistant') return `Unexpected role "${role}"`
  if (content.length === 0) return 'all messages must have non-empty content'
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content
  for (const block of blocks) {
    if (block.type === 'text' && (block.text ?? '').trim() === '')
      return 'text content blocks must contain non-whitespace text'
    if (block.type === 'tool_use' && !/^[a-zA-Z0-9_-]+$/.test(block.id ?? ''))
      return "tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"
    if (block.type === 'tool_use' && (typeof block.input !== 'object' || block.input === null))
      return 'tool_use.input: Input should be a valid dictionary'
    if (block.type === 'thinking' && sealed.get(block.signature ?? '') !== block.thinking)
      return 'Invalid `signature` in `thinking` block'
  }
  const asked = callsIn(before)
  const answered = blocks.flatMap((block) => (block.type === 'tool_result' ? [block.tool_use_id ?? ''] : []))
  const open = asked.filter((id) => !answered.includes(id))
  if (open.length > 0)
    return `\`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open}`
  const stray = answered.filter((id) => !asked.includes(id))
  if (stray.length > 0) return `unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${stray}`
  return undefined
}

const callsIn = (message: AnthropicMessage | undefined): string[] =>
  message?.role === 'assistant' && typeof message.content !== 'string'
    ? message.content.flatMap(({ type, id }) => (type === 'tool_use' && id !== undefined ? [id] : []))
    : []
