import type { ChatCompletionMessageParam, ChatCompletionTool } from 'openai/resources/chat/completions'
import type { Message, ModelRequest, ToolSpec } from './model.ts'
import { objectText } from './object-text.ts'
import type { Reasoning } from './reasoning-merge.ts'

/** What every server of chat completions is asked; each adapter adds what only its own understands. */
export function chatBody({ model, messages, tools, maxOutputTokens }: ModelRequest) {
  return {
    model: model.name,
    messages: messages.map(chatMessage),
    stream: true as const,
    stream_options: { include_usage: true },
    max_tokens: maxOutputTokens,
    ...(model.temperature === undefined ? {} : { temperature: model.temperature }),
    ...(tools.length === 0 ? {} : { tools: tools.map(chatTool) }),
  }
}

const chatTool = (tool: ToolSpec): ChatCompletionTool => ({ type: 'function', function: { ...tool } })

function chatMessage(message: Message): ChatCompletionMessageParam {
  switch (message.role) {
    case 'tool':
      return { role: 'tool', tool_call_id: message.toolCallId, content: message.content }
    case 'assistant': {
      const calls = message.toolCalls.map(({ id, name, arguments: text }) => ({
        id,
        type: 'function' as const,
        function: { name, arguments: objectText(text) },
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
