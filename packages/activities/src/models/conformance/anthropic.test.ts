import { type AnthropicBlock, anthropicError, startFakeAnthropic } from '@devflow/testing'
import { anthropicModel } from '../anthropic/index.ts'
import { standInOf } from './provider-play.fixture.ts'
import { conforms } from './suite.fixture.ts'

const TYPES: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
}

conforms({
  name: 'anthropic',
  model: { provider: 'anthropic', name: 'claude-sonnet-5-5' },
  keyVariable: 'ANTHROPIC_API_KEY',
  lacks: { cost: 'it tells tokens, not money' },
  start: async () => {
    const fake = await startFakeAnthropic()
    return standInOf(fake, {
      adapter: ({ apiKey, stallMs }) =>
        anthropicModel({ apiKey, baseURL: fake.baseURL, progressTimeoutMs: stallMs }),
      error: (status, message) => anthropicError(TYPES[status] ?? 'api_error', message),
      limit: 'max_tokens',
      seen: ({ model, max_tokens, temperature, tools = [], messages }, { id }) => {
        const blocks = messages.flatMap(({ content }): AnthropicBlock[] =>
          typeof content === 'string' ? [] : content,
        )
        return {
          model,
          maxOutputTokens: max_tokens,
          temperature,
          tools: tools.map(({ name }) => name),
          toolResults: blocks.flatMap(({ type, tool_use_id = '', content }) =>
            type === 'tool_result' ? [{ id: tool_use_id, content: String(content) }] : [],
          ),
          toolCalls: blocks.flatMap(({ type, id = '', name = '', input }) =>
            type === 'tool_use' ? [{ id, name, arguments: input }] : [],
          ),
          seals: blocks.flatMap(({ signature }) => signature ?? []),
          generationId: id,
        }
      },
    })
  },
})
