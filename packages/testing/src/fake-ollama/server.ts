import { type FakeProvider, type ProviderRequest, startFakeProvider } from '../fake-provider/server.ts'
import { faultOf, type OllamaBody } from './body.ts'
import { framesOf, line } from './frames.ts'

export type FakeOllama = FakeProvider<OllamaBody>

/** A local stand-in for Ollama's `/api/chat`: lines of JSON, no ids, errors as plain text in an object. */
export const startFakeOllama = (): Promise<FakeOllama> =>
  startFakeProvider<OllamaBody>({
    contentType: 'application/x-ndjson',
    newId: (n) => String(n),
    refuse: refusal,
    frames: framesOf,
    errorFrame: line({ error: 'an error was encountered while running the model: unexpected EOF' }),
  })

function refusal({ path, body }: ProviderRequest<OllamaBody>) {
  if (path !== '/api/chat') return { status: 404, body: '404 page not found' }
  const fault = faultOf(body)
  return fault === undefined ? undefined : { status: 400, body: { error: fault } }
}
