import type {
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions'
import type { Message, ModelRequest } from './model.ts'
import type { Reasoning } from './reasoning-merge.ts'

/** OpenRouter's fields beyond OpenAI's. */
type OpenRouterBody = ChatCompletionCreateParamsStreaming & { session_id: string }

/**
 * The body of one request. `fallbacks` are not sent: each model tried is a request, and a row of the ledger, of its
 * own (I5).
 */
export function openRouterBody(request: ModelRequest): OpenRouterBody {
  const { model, tools } = request
  return {
    model: model.name,
    messages: request.messages.map(openAiMessage),
    stream: true,
    stream_options: { include_usage: true },
    max_tokens: request.maxOutputTokens,
    session_id: request.sessionId.slice(0, 256),
    ...(model.temperature === undefined ? {} : { temperature: model.temperature }),
    ...(tools.length === 0
      ? {}
      : { tools: tools.map((tool) => ({ type: 'function' as const, function: { ...tool } })) }),
  }
}

function openAiMessage(message: Message): ChatCompletionMessageParam {
  switch (message.role) {
    case 'tool':
      return { role: 'tool', tool_call_id: message.toolCallId, content: message.content }
    case 'assistant': {
      const calls = message.toolCalls.map(({ id, name, arguments: text }) => ({
        id,
        type: 'function' as const,
        function: { name, arguments: isObject(text) ? text : '{}' },
      }))
      return {
        role: 'assistant',
        // Some providers refuse an empty text beside tool calls, none refuses null there.
        content: message.content === '' && calls.length > 0 ? null : message.content,
        ...(calls.length > 0 ? { tool_calls: calls } : {}),
        ...((message.reasoning ?? {}) as Reasoning),
      }
    }
    default:
      return { role: message.role, content: message.content }
  }
}

/** Providers parse the arguments of past calls and refuse the conversation when they are no JSON object. */
function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}
