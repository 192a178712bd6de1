import { type GooglePart, googleError, startFakeGoogle } from '@devflow/testing'
import { googleModel } from '../google/index.ts'
import { standInOf } from './provider-play.fixture.ts'
import { conforms } from './suite.fixture.ts'

conforms({
  name: 'google',
  model: { provider: 'google', name: 'gemini-3.1-pro-preview' },
  keyVariable: 'GOOGLE_API_KEY',
  lacks: {
    cost: 'it tells tokens, not money',
    fragments: 'a call comes whole',
    payment: 'it has no 402',
  },
  start: async () => {
    const fake = await startFakeGoogle()
    return standInOf(fake, {
      adapter: ({ apiKey, stallMs }) =>
        googleModel({ apiKey, baseURL: fake.baseURL, progressTimeoutMs: stallMs }),
      error: (status, message, retryAfter) =>
        googleError(status, message, retryAfter === undefined ? {} : { retryAfter }),
      limit: 'MAX_TOKENS',
      seen: ({ contents, tools = [], generationConfig = {} }, { id, path }) => {
        const parts = contents.flatMap(({ parts = [] }): GooglePart[] => parts)
        return {
          model: /models\/(.+):/.exec(path)?.[1] ?? '',
          maxOutputTokens: generationConfig.maxOutputTokens,
          temperature: generationConfig.temperature,
          tools: tools.flatMap(({ functionDeclarations = [] }) =>
            functionDeclarations.map(({ name }) => name),
          ),
          toolResults: parts.flatMap(({ functionResponse: result }) =>
            result ? [{ id: result.id ?? '', content: (result.response as { output: string }).output }] : [],
          ),
          toolCalls: parts.flatMap(({ functionCall: call }) =>
            call ? [{ id: call.id ?? '', name: call.name, arguments: call.args }] : [],
          ),
          seals: parts.flatMap(({ thoughtSignature }) => thoughtSignature ?? []),
          generationId: id,
        }
      },
    })
  },
})
