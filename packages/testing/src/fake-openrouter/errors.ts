import type { HttpError } from './reply.ts'

const error = (
  status: number,
  message: string,
  more: { metadata?: unknown; availability?: unknown; headers?: Record<string, string> } = {},
): HttpError => ({
  status,
  body: {
    error: {
      code: status,
      message,
      ...(more.metadata === undefined ? {} : { metadata: more.metadata }),
      ...(more.availability === undefined ? {} : { availability: more.availability }),
    },
  },
  headers: more.headers ?? {},
})

const html = (status: number, title: string): HttpError => ({
  status,
  body: `<!DOCTYPE html><html><head><title>${status}: ${title}</title></head><body><h1>${title}</h1></body></html>`,
  headers: { 'content-type': 'text/html; charset=UTF-8' },
})

/** Answers that come instead of a 200, by name. Nothing is billed for them. */
export const ERRORS = {
  '400': () => error(400, 'nosuch is not a valid model ID'),
  '400_context': () =>
    error(400, "This endpoint's maximum context length is 65536 tokens.", {
      metadata: { error_type: 'context_length_exceeded' },
    }),
  '400_upstream': () =>
    error(400, 'Provider returned error', {
      metadata: {
        raw: '{"error":{"message":"reasoning_content must be passed back"}}',
        provider_name: 'DeepSeek',
        is_byok: false,
      },
    }),
  '401': () => error(401, 'No auth credentials found'),
  '402': () =>
    error(
      402,
      'This request requires more credits, or fewer max_tokens. You requested up to 8192 tokens, but can only afford 511.',
    ),
  '402_in_flight': () =>
    error(402, 'Too many requests in flight for the remaining balance.', {
      metadata: { reason: 'in_flight_budget_exhausted', limit_source: 'openrouter_in_flight_budget' },
      headers: { 'retry-after': '1' },
    }),
  '402_key_limit': () =>
    error(402, 'Key limit exceeded (monthly limit).', {
      metadata: { limit_source: 'openrouter_key_limit' },
    }),
  '402_weight': () =>
    error(402, 'This request costs more than the remaining balance.', {
      metadata: { reason: 'weight_exceeds_budget', limit_source: 'openrouter_credits' },
    }),
  '403': () => error(403, 'This model is not available in your region.'),
  '403_moderation': () =>
    error(403, 'Input was flagged', {
      metadata: {
        reasons: ['violence'],
        flagged_input: 'how to …',
        provider_name: 'OpenAI',
        model_slug: 'openai/gpt-4o-mini',
      },
    }),
  '404': () => error(404, 'No endpoints found for nosuch/model.'),
  '404_tools': () => error(404, 'No endpoints found that support tool use. Try disabling "read_file".'),
  '408': () => error(408, 'Request timed out.'),
  '413': () => error(413, 'Payload too large'),
  '422': () => error(422, 'Unprocessable entity'),
  '429': () =>
    error(429, 'Provider returned error', {
      metadata: {
        raw: 'deepseek/deepseek-chat is temporarily rate-limited upstream.',
        provider_name: 'DeepInfra',
        limit_source: 'upstream_provider_shared_pool',
      },
    }),
  '429_retry_after': () => error(429, 'Rate limit exceeded', { headers: { 'retry-after': '2' } }),
  '429_reset_ms': () =>
    error(429, 'Rate limit exceeded: free-models-per-min.', {
      metadata: {
        headers: {
          'X-RateLimit-Limit': '20',
          'X-RateLimit-Remaining': '0',
          'X-RateLimit-Reset': String(Date.now() + 3000),
        },
      },
    }),
  '429_daily': () =>
    error(429, 'Rate limit exceeded: free-models-per-day.', {
      metadata: {
        headers: { 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset': String(Date.now() + 3.6e7) },
      },
    }),
  '500': () => error(500, 'Internal Server Error', { metadata: { error_type: 'server' } }),
  '502': () => error(502, 'Provider returned an invalid response'),
  '503': () => error(503, 'No instances available', { headers: { 'retry-after': '1' } }),
  '503_availability': () =>
    error(503, 'This model is gone upstream.', {
      availability: { code: 'model_unavailable_upstream', retryable: false, fallback_models: [] },
    }),
  '504': () => error(504, 'Upstream timed out', { metadata: { error_type: 'timeout' } }),
  '529': () => error(529, 'Provider overloaded', { metadata: { error_type: 'provider_overloaded' } }),
  html_502: () => html(502, 'Bad gateway'),
  '524': () => html(524, 'A timeout occurred'),
} satisfies Record<string, () => HttpError>

export type ErrorName = keyof typeof ERRORS

export const isErrorName = (name: string): name is ErrorName => name in ERRORS
