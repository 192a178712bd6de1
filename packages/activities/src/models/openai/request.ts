import { createHash } from 'node:crypto'
import type { ResponseCreateParamsStreaming, ResponseInputItem } from 'openai/resources/responses/responses'
import type { Message, ModelRequest, ToolCall } from '../model.ts'
import { objectText } from '../object-text.ts'
import type { OutputOrder } from './output-order.ts'

/** How much of its reasoning a model tells, as the API names it; not told unless asked for. */
export const SUMMARIES = ['auto', 'concise', 'detailed'] as const
export type Summary = (typeof SUMMARIES)[number]

/** Models before the reasoning ones refuse to be asked for encrypted reasoning. */
const WITHOUT_REASONING = /^(?:gpt-3|gpt-4|chatgpt-4|ft:gpt-[34]|gpt-5-chat)/

/**
 * The body of one request. Nothing is kept at the provider (`store: false`): the whole conversation is sent, reasoning
 * encrypted as it came.
 */
export function responsesBody(
  request: ModelRequest,
  summary: Summary | undefined,
): ResponseCreateParamsStreaming {
  const { model, tools } = request
  const reasons = !WITHOUT_REASONING.test(model.name)
  return {
    model: model.name,
    input: request.messages.flatMap(inputItems),
    stream: true,
    store: false,
    max_output_tokens: request.maxOutputTokens,
    // At most 64 characters, the same for every turn of a session.
    prompt_cache_key: createHash('sha256').update(request.sessionId).digest('hex').slice(0, 32),
    ...(reasons ? { include: ['reasoning.encrypted_content' as const] } : {}),
    ...(reasons && summary ? { reasoning: { summary } } : {}),
    ...(model.temperature === undefined ? {} : { temperature: model.temperature }),
    ...(tools.length === 0
      ? {}
      : { tools: tools.map((tool) => ({ type: 'function' as const, strict: false, ...tool })) }),
  }
}

function inputItems(message: Message): ResponseInputItem[] {
  switch (message.role) {
    case 'tool':
      return [{ type: 'function_call_output', call_id: message.toolCallId, output: message.content }]
    case 'assistant':
      return spoken(message.content, message.toolCalls, message.reasoning as OutputOrder | undefined)
    default:
      return [{ type: 'message', role: message.role, content: message.content }]
  }
}

/** An answer's items in the order the model made them, texts and calls as they are on record. */
function spoken(
  content: string,
  calls: ToolCall[],
  order: OutputOrder = { output: [] },
): ResponseInputItem[] {
  const open = new Map(calls.map((call) => [call.id, call]))
  let text = content
  const items: ResponseInputItem[] = []
  const say = (phase?: 'commentary' | 'final_answer') => {
    if (text !== '')
      items.push({ type: 'message', role: 'assistant', content: text, ...(phase ? { phase } : {}) })
    text = ''
  }
  for (const item of order.output) {
    if (item.type === 'message') say(item.phase)
    else if (item.type === 'reasoning') items.push(item)
    else {
      const call = open.get(item.call_id)
      open.delete(item.call_id)
      if (call) items.push(functionCall(call))
    }
  }
  say()
  items.push(...[...open.values()].map(functionCall))
  // Reasoning that led to nothing, as in an answer that was cut, is refused without what follows it.
  while (items.at(-1)?.type === 'reasoning') items.pop()
  return items
}

const functionCall = (call: ToolCall): ResponseInputItem => ({
  type: 'function_call',
  call_id: call.id,
  name: call.name,
  arguments: objectText(call.arguments),
})
