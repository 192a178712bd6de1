import { openAiError, startFakeOpenAi } from '@devflow/testing'
import { openAiModel } from '../openai/index.ts'
import { standInOf } from './provider-play.fixture.ts'
import { conforms } from './suite.fixture.ts'

conforms({
  name: 'openai',
  model: { provider: 'openai', name: 'gpt-5-codex' },
  keyVariable: 'OPENAI_API_KEY',
  lacks: { cost: 'it tells tokens, not money' },
  start: async () => {
    const fake = await startFakeOpenAi()
    return standInOf(fake, {
      adapter: ({ apiKey, stallMs }) =>
        openAiModel({ apiKey, baseURL: `${fake.baseURL}/v1`, progressTimeoutMs: stallMs }),
      error: (_, message) => openAiError(message, 'an_error'),
      limit: 'max_output_tokens',
      seen: ({ model, max_output_tokens, temperature, tools = [], input }, { id }) => ({
        model,
        maxOutputTokens: max_output_tokens,
        temperature,
        tools: tools.map(({ name }) => name),
        toolResults: input.flatMap(({ type, call_id = '', output = '' }) =>
          type === 'function_call_output' ? [{ id: call_id, content: output }] : [],
        ),
        toolCalls: input.flatMap(({ type, call_id = '', name = '', arguments: text = '' }) =>
          type === 'function_call' ? [{ id: call_id, name, arguments: JSON.parse(text) as unknown }] : [],
        ),
        seals: input.flatMap(({ encrypted_content }) => encrypted_content ?? []),
        generationId: id,
      }),
    })
  },
})
