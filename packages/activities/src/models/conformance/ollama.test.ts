import { startFakeOllama } from '@devflow/testing'
import { ollamaModel } from '../ollama/index.ts'
import { standInOf } from './provider-play.fixture.ts'
import { conforms } from './suite.fixture.ts'

conforms({
  name: 'ollama',
  model: { provider: 'ollama', name: 'qwen3' },
  lacks: {
    key: 'a server of one’s own asks for none',
    cost: 'it costs nothing',
    generation: 'it has no ids',
    fragments: 'a call comes whole',
    seal: 'its thinking is not sealed',
    reasoning_tokens: 'it does not count them',
    payment: 'it has no 402',
  },
  start: async () => {
    const fake = await startFakeOllama()
    return standInOf(fake, {
      adapter: ({ stallMs }) => ollamaModel({ host: fake.baseURL, progressTimeoutMs: stallMs }),
      error: (_, message) => ({ error: message }),
      limit: 'length',
      seen: ({ model, messages, tools = [], options = {} }) => ({
        model,
        maxOutputTokens: options.num_predict,
        temperature: options.temperature,
        tools: tools.map((tool) => tool.function.name),
        toolResults: messages.flatMap(({ role, tool_call_id: id = '', content }) =>
          role === 'tool' ? [{ id, content }] : [],
        ),
        toolCalls: messages.flatMap(({ tool_calls: calls = [] }) =>
          calls.map((call) => ({ id: call.id ?? '', ...call.function })),
        ),
        seals: [],
        generationId: undefined,
      }),
    })
  },
})
