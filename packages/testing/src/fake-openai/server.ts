import { randomBytes } from 'node:crypto'
import { type FakeProvider, type ProviderRequest, startFakeProvider } from '../fake-provider/server.ts'
import { type ChatCompletionsBody, chatFrames } from './chat-frames.ts'
import { faultOf, type ResponsesBody } from './responses-body.ts'
import { event, framesOf } from './responses-frames.ts'

/** OpenAI's form of an error. */
export const openAiError = (message: string, type = 'invalid_request_error', code: string | null = null) => ({
  error: { message, type, param: null, code },
})

export type FakeOpenAi = FakeProvider<ResponsesBody>

/**
 * A local stand-in for OpenAI's Responses API, as its documents describe the wire: refuses what the API refuses (calls
 * without results, reasoning changed or without what follows it) and streams events with rising numbers, no `[DONE]`.
 * Clients take `<baseURL>/v1`.
 */
export function startFakeOpenAi(): Promise<FakeOpenAi> {
  const sealed = new Set<string>()
  return startFakeProvider<ResponsesBody>({
    contentType: 'text/event-stream; charset=utf-8',
    newId: () => `resp_${randomBytes(24).toString('hex')}`,
    refuse: (request) => {
      const refused = refusal(request, '/v1/responses')
      if (refused) return refused
      const fault = faultOf(request.body, sealed)
      return fault === undefined ? undefined : { status: 400, body: openAiError(fault) }
    },
    frames: (request, reply) => {
      if (reply.thinking !== undefined || reply.seal !== undefined) sealed.add(reply.seal ?? 'unsealed')
      return framesOf(request, reply)
    },
    errorFrame: event('error', {
      code: 'server_error',
      message: 'The server had an error while processing your request.',
      param: null,
      sequence_number: 9,
    }),
    keepAlive: event('keepalive', { sequence_number: 3 }),
    headers: ({ n }) => ({ 'x-request-id': `req_${n}` }),
  })
}

export type FakeChatServer = FakeProvider<ChatCompletionsBody>

/**
 * A local stand-in for the many servers that speak OpenAI's chat completions: one id for all chunks, usage in a last
 * chunk without choices and only where `stream_options` asks for it, `reasoning_content`, `[DONE]`. Clients take
 * `<baseURL>/v1`. It wants a key only with `{ key: true }`.
 */
export function startFakeChatServer({ key = true }: { key?: boolean } = {}): Promise<FakeChatServer> {
  return startFakeProvider<ChatCompletionsBody>({
    contentType: 'text/event-stream',
    newId: (n) => `chatcmpl-${n}-${randomBytes(8).toString('hex')}`,
    refuse: (request) => refusal(request, '/v1/chat/completions', key),
    frames: chatFrames,
    errorFrame: `data: ${JSON.stringify(openAiError('The engine died.', 'server_error', 'server_error'))}\n\n`,
    keepAlive: ': keep-alive\n\n',
  })
}

function refusal({ path, headers }: ProviderRequest<unknown>, known: string, key = true) {
  if (path.split('?')[0] !== known) return { status: 404, body: openAiError(`Unknown request URL: ${path}`) }
  return key && !headers.authorization?.startsWith('Bearer ')
    ? { status: 401, body: openAiError('You did not provide an API key.') }
    : undefined
}
