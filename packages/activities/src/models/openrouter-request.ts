import type { ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions'
import { chatBody } from './chat-messages.ts'
import type { ModelRequest } from './model.ts'

/** OpenRouter's fields beyond OpenAI's. */
type OpenRouterBody = ChatCompletionCreateParamsStreaming & { session_id: string }
type ChatMessage = OpenRouterBody['messages'][number]

/**
 * The body of one request. `fallbacks` are not sent: each model tried is a request, and a row of the ledger, of its
 * own (I5).
 */
export function openRouterBody(request: ModelRequest): OpenRouterBody {
  const body = chatBody(request)
  return {
    ...body,
    messages: wantsMarks(request) ? marked(body.messages) : body.messages,
    session_id: request.sessionId.slice(0, 256),
  }
}

/**
 * Claude keeps what lies before a mark, and nothing without one; the others keep what they have seen by themselves, Gemini's
 * marks would even cost more than they save where they move with each turn. Without tools there is no turn after this one.
 */
const wantsMarks = ({ model, tools }: ModelRequest): boolean =>
  model.name.startsWith('anthropic/') && tools.length > 0

/**
 * The conversation with marks at the end of the system text and at the last two messages of ours, so that each turn reads
 * what the one before it wrote. All of ours are in parts, marked or not: from turn to turn only marks move.
 */
function marked(messages: ChatMessage[]): ChatMessage[] {
  const ours = messages.flatMap((message, index) =>
    isOurs(message) && message.role !== 'system' ? [index] : [],
  )
  const marks = new Set(ours.slice(-2))
  return messages.map((message, index) => {
    if (!isOurs(message) || typeof message.content !== 'string') return message
    const text = message.content
    // A mark on nothing is refused.
    const isMarked = text.trim() !== '' && (message.role === 'system' || marks.has(index))
    const part = {
      type: 'text' as const,
      text,
      ...(isMarked ? { cache_control: { type: 'ephemeral' } } : {}),
    }
    return { ...message, content: [part] }
  })
}

const isOurs = (
  message: ChatMessage,
): message is Extract<ChatMessage, { role: 'system' | 'user' | 'tool' }> =>
  message.role === 'system' || message.role === 'user' || message.role === 'tool'
