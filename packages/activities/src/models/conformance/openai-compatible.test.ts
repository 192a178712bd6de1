import { openAiError, startFakeChatServer } from '@devflow/testing'
import { openAiCompatibleModel } from '../openai-compatible.ts'
import { standInOf } from './provider-play.fixture.ts'
import { conforms } from './suite.fixture.ts'

conforms({
  name: 'openai-compatible',
  model: { provider: 'openai-compatible', name: 'qwen3-coder' },
  lacks: {
    key: 'many servers of one’s own want none',
    seal: 'thinking is plain text there',
    cost: 'it tells tokens, not money',
  },
  start: async () => {
    const fake = await startFakeChatServer()
    return standInOf(fake, {
      adapter: ({ apiKey, stallMs }) =>
        openAiCompatibleModel({
          endpoints: { default: { baseURL: `${fake.baseURL}/v1`, apiKey } },
          progressTimeoutMs: stallMs,
        }),
      error: (_, message) => openAiError(message, 'an_error'),
      limit: 'length',
      seen: ({ model, max_tokens, temperature, tools = [], messages }, { id }) => ({
        model,
        maxOutputTokens: max_tokens,
        temperature,
        tools: tools.map((tool) => tool.function.name),
        toolResults: messages.flatMap(({ role, tool_call_id: call = '', content }) =>
          role === 'tool' ? [{ id: call, content: content ?? '' }] : [],
        ),
        toolCalls: messages.flatMap(({ tool_calls: calls = [] }) =>
          calls.map((call) => ({
            id: call.id,
            name: call.function.name,
            arguments: JSON.parse(call.function.arguments) as unknown,
          })),
        ),
        seals: [],
        generationId: id,
      }),
    })
  },
})
