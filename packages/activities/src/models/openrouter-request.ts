import type { ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions'
import { chatBody } from './chat-messages.ts'
import type { ModelRequest } from './model.ts'

/** OpenRouter's fields beyond OpenAI's. */
type OpenRouterBody = ChatCompletionCreateParamsStreaming & { session_id: string }

/**
 * The body of one request. `fallbacks` are not sent: each model tried is a request, and a row of the ledger, of its
 * own (I5).
 */
export const openRouterBody = (request: ModelRequest): OpenRouterBody => ({
  ...chatBody(request),
  session_id: request.sessionId.slice(0, 256),
})
