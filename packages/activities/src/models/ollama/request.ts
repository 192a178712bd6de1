import type { ChatRequest } from 'ollama'
import type { Message, ModelRequest } from '../model.ts'
import { objectText } from '../object-text.ts'
import { resultsInOrder } from '../results-in-order.ts'
import { isMadeUp } from '../tool-call-merge.ts'

/** A message as the server takes it; ids of calls came with later versions, and earlier ones pass over them. */
interface OllamaMessage {
  role: string
  content: string
  thinking?: string
  tool_name?: string
  tool_call_id?: string
  tool_calls?: { id?: string; function: { name: string; arguments: Record<string, unknown> } }[]
}

export type OllamaRequest = ChatRequest & {
  stream: true
  messages: OllamaMessage[]
  /** Unless it is told not to, the server drops what does not fit into its context, and says nothing. */
  truncate: false
  shift: false
}

/** Kept with an answer: some models want their thinking back beside their calls. */
interface Thinking {
  ollama: string
  thinking: string
}

export const thinkingOf = (model: string, thinking: string): Thinking | undefined =>
  thinking === '' ? undefined : { ollama: model, thinking }

/** `contextTokens`: the context to load the model with; default: as the server has it. */
export function ollamaRequest(request: ModelRequest, contextTokens: number | undefined): OllamaRequest {
  const { model, tools, maxOutputTokens } = request
  return {
    model: model.name,
    messages: resultsInOrder(request.messages).map((message) => ollamaMessage(message, model.name)),
    stream: true,
    truncate: false,
    shift: false,
    options: {
      num_predict: maxOutputTokens,
      ...(contextTokens === undefined ? {} : { num_ctx: contextTokens }),
      ...(model.temperature === undefined ? {} : { temperature: model.temperature }),
    },
    ...(tools.length === 0
      ? {}
      : { tools: tools.map((tool) => ({ type: 'function', function: { ...tool } })) }),
  }
}

function ollamaMessage(message: Message, model: string): OllamaMessage {
  switch (message.role) {
    case 'tool': {
      const { toolCallId: id, name, content } = message
      return { role: 'tool', content, tool_name: name, ...(isMadeUp(id) ? {} : { tool_call_id: id }) }
    }
    case 'assistant': {
      const { content, toolCalls, reasoning } = message
      const calls = toolCalls.map(({ id, name, arguments: written }) => ({
        ...(isMadeUp(id) ? {} : { id }),
        function: { name, arguments: JSON.parse(objectText(written)) as Record<string, unknown> },
      }))
      return {
        role: 'assistant',
        content,
        ...(isOurs(reasoning, model) ? { thinking: reasoning.thinking } : {}),
        ...(calls.length === 0 ? {} : { tool_calls: calls }),
      }
    }
    default:
      return { role: message.role, content: message.content }
  }
}

const isOurs = (reasoning: unknown, model: string): reasoning is Thinking =>
  typeof reasoning === 'object' &&
  reasoning !== null &&
  'ollama' in reasoning &&
  reasoning.ollama === model &&
  'thinking' in reasoning &&
  typeof reasoning.thinking === 'string'
