import { randomBytes } from 'node:crypto'
import { type FakeProvider, type ProviderRequest, startFakeProvider } from '../fake-provider/server.ts'
import { type AnthropicBody, faultOf } from './body.ts'
import { event, framesOf } from './frames.ts'

export type FakeAnthropic = FakeProvider<AnthropicBody>

/** The API's form of an error. */
export const anthropicError = (type: string, message: string) => ({
  type: 'error',
  error: { type, message },
  request_id: 'req_011fake',
})

/**
 * A local stand-in for Anthropic's Messages API, as its documents describe the wire: refuses what the API refuses
 * (roles, unanswered calls, empty texts, changed thinking) and streams by `event:` and `data:` lines without `[DONE]`.
 */
export const startFakeAnthropic = (): Promise<FakeAnthropic> => {
  const sealed = new Map<string, string>()
  return startFakeProvider<AnthropicBody>({
    contentType: 'text/event-stream; charset=utf-8',
    newId: () => `msg_01${randomBytes(16).toString('base64url').replaceAll(/[-_]/g, 'x')}`,
    refuse: (request) => refusal(request, sealed),
    frames: (request, reply) => {
      if (reply.seal !== undefined) sealed.set(reply.seal, reply.thinking ?? '')
      return framesOf(request, reply)
    },
    errorFrame: event('error', anthropicError('overloaded_error', 'Overloaded')),
    keepAlive: event('ping', {}),
    headers: () => ({ 'request-id': 'req_011fake', 'cache-control': 'no-cache' }),
  })
}

function refusal({ path, headers, body }: ProviderRequest<AnthropicBody>, sealed: Map<string, string>) {
  if (path.split('?')[0] !== '/v1/messages')
    return { status: 404, body: anthropicError('not_found_error', 'Not Found') }
  if (!headers['x-api-key'] && !headers.authorization?.startsWith('Bearer '))
    return { status: 401, body: anthropicError('authentication_error', 'x-api-key header is required') }
  const version = headers['anthropic-version']
  const fault =
    version === undefined
      ? 'anthropic-version: header is required'
      : version !== '2023-06-01' && body.temperature !== undefined
        ? 'temperature: Extra inputs are not permitted'
        : faultOf(body, sealed)
  return fault === undefined
    ? undefined
    : { status: 400, body: anthropicError('invalid_request_error', fault) }
}
