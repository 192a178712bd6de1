import { randomBytes } from 'node:crypto'
import { type FakeProvider, type ProviderRequest, startFakeProvider } from '../fake-provider/server.ts'
import { faultOf, type GoogleBody } from './body.ts'
import { chunk, framesOf, modelIn } from './frames.ts'

export type FakeGoogle = FakeProvider<GoogleBody>

const STATUSES: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}

const RPC = 'type.googleapis.com/google.rpc.'

/** The API's form of an error; how long to wait stands in its details. */
export const googleError = (
  code: number,
  message: string,
  more: { retryAfter?: number; quota?: string } = {},
) => ({
  error: {
    code,
    message,
    status: STATUSES[code] ?? 'UNKNOWN',
    details: [
      ...(more.quota === undefined
        ? []
        : [{ '@type': `${RPC}QuotaFailure`, violations: [{ quotaId: more.quota }] }]),
      ...(more.retryAfter === undefined
        ? []
        : [{ '@type': `${RPC}RetryInfo`, retryDelay: `${more.retryAfter}s` }]),
    ],
  },
})

/** A local stand-in for the Gemini API's `streamGenerateContent`. */
export const startFakeGoogle = (): Promise<FakeGoogle> => {
  const sealed = new Set<string>()
  return startFakeProvider<GoogleBody>({
    contentType: 'text/event-stream',
    newId: () => randomBytes(17).toString('base64url'),
    refuse: (request) => refusal(request, sealed),
    frames: (request, reply) => {
      for (const seal of [reply.seal, ...(reply.toolCalls ?? []).map((call) => call.seal)])
        if (seal !== undefined) sealed.add(seal)
      return framesOf(request, reply)
    },
    errorFrame: chunk(googleError(503, 'The model is overloaded. Please try again later.')),
  })
}

function refusal({ path, headers, body }: ProviderRequest<GoogleBody>, sealed: ReadonlySet<string>) {
  const model = modelIn(path)
  if (model === undefined) return { status: 404, body: googleError(404, 'Not found.') }
  if (!headers['x-goog-api-key'])
    return { status: 403, body: googleError(403, 'Method doesn’t allow unregistered callers.') }
  const fault = faultOf(body, model, sealed)
  return fault === undefined ? undefined : { status: 400, body: googleError(400, fault) }
}
