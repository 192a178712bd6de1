import { DEFAULT_ENDPOINT, type Endpoint, SUMMARIES } from '@devflow/activities'
import { DevflowError } from '@devflow/contracts'
import { z } from 'zod'

const key = (where: string) => z.string().optional().describe(`a key of ${where}`)
const address = (whose: string) => z.url().optional().describe(`another address of ${whose}`)
const stall = (fallback: number) =>
  z.coerce.number().int().positive().default(fallback).describe('how long a reply may say nothing')

/** What providers that speak their own language are told by. */
export const PROVIDER_VARIABLES = {
  OPENAI_API_KEY: key('platform.openai.com'),
  OPENAI_BASE_URL: address('the OpenAI API'),
  OPENAI_STALL_MS: stall(120_000),
  OPENAI_REASONING_SUMMARY: z
    .enum(SUMMARIES)
    .optional()
    .describe(`how much models tell of their reasoning: ${SUMMARIES.join(', ')}`),
  OPENAI_COMPATIBLE_STALL_MS: stall(120_000),
  ANTHROPIC_API_KEY: key('console.anthropic.com'),
  ANTHROPIC_BASE_URL: address('the Anthropic API'),
  ANTHROPIC_STALL_MS: stall(120_000),
  GEMINI_API_KEY: key('aistudio.google.com, for Gemini; GOOGLE_API_KEY is another name for it'),
  GOOGLE_API_KEY: key('aistudio.google.com, for Gemini'),
  GEMINI_BASE_URL: address('the Gemini API'),
  GEMINI_STALL_MS: stall(120_000),
  OLLAMA_HOST: z.string().optional().describe('where Ollama runs: an address, or host:port'),
  OLLAMA_API_KEY: key('ollama.com, where that is where it runs'),
  OLLAMA_NUM_CTX: z.coerce
    .number()
    .int()
    .positive()
    .optional()
    .describe('tokens of context to load models with'),
  // A model may have to be loaded before it says anything.
  OLLAMA_STALL_MS: stall(300_000),
}

type Given = z.infer<z.ZodObject<typeof PROVIDER_VARIABLES>>
type Environment = Readonly<Record<string, string | undefined>>

export function providersOf(given: Given, env: Environment) {
  return {
    openai: {
      apiKey: given.OPENAI_API_KEY,
      baseURL: given.OPENAI_BASE_URL,
      progressTimeoutMs: given.OPENAI_STALL_MS,
      reasoningSummary: given.OPENAI_REASONING_SUMMARY,
    },
    openAiCompatible: { endpoints: endpointsOf(env), progressTimeoutMs: given.OPENAI_COMPATIBLE_STALL_MS },
    anthropic: {
      apiKey: given.ANTHROPIC_API_KEY,
      baseURL: given.ANTHROPIC_BASE_URL,
      progressTimeoutMs: given.ANTHROPIC_STALL_MS,
    },
    google: {
      apiKey: given.GOOGLE_API_KEY ?? given.GEMINI_API_KEY,
      baseURL: given.GEMINI_BASE_URL,
      progressTimeoutMs: given.GEMINI_STALL_MS,
    },
    ollama: {
      host: given.OLLAMA_HOST,
      apiKey: given.OLLAMA_API_KEY,
      contextTokens: given.OLLAMA_NUM_CTX,
      progressTimeoutMs: given.OLLAMA_STALL_MS,
    },
  }
}

/** Keys, to be kept out of all that is stored (I8). */
export const providerSecrets = (given: Given, env: Environment): (string | undefined)[] => [
  given.OPENAI_API_KEY,
  given.ANTHROPIC_API_KEY,
  given.GOOGLE_API_KEY,
  given.GEMINI_API_KEY,
  given.OLLAMA_API_KEY,
  ...Object.values(endpointsOf(env)).map(({ apiKey }) => apiKey),
]

const ENDPOINT = /^OPENAI_COMPATIBLE_(?:([A-Z][A-Z0-9_]*)_)?(BASE_URL|API_KEY)$/

/**
 * Servers of chat completions: `OPENAI_COMPATIBLE_BASE_URL` is the default one's, `OPENAI_COMPATIBLE_<NAME>_BASE_URL` that
 * of the endpoint a persona calls `<name>`; `…_API_KEY` beside it, where it wants a key. Throws INVALID `bad_config`.
 */
function endpointsOf(env: Environment): Record<string, Endpoint> {
  const endpoints: Record<string, Endpoint> = {}
  for (const [variable, value] of Object.entries(env)) {
    const [, name = '', what] = ENDPOINT.exec(variable) ?? []
    if (what !== 'BASE_URL' || !value) continue
    if (!z.url().safeParse(value).success) throw badConfig(`${variable} is wrong: the address of a server`)
    const apiKey = env[variable.replace(/BASE_URL$/, 'API_KEY')]
    endpoints[name === '' ? DEFAULT_ENDPOINT : name.toLowerCase().replaceAll('_', '-')] = {
      baseURL: value,
      ...(apiKey ? { apiKey } : {}),
    }
  }
  for (const [variable, value] of Object.entries(env)) {
    const address = variable.replace(/API_KEY$/, 'BASE_URL')
    if (value && ENDPOINT.exec(variable)?.[2] === 'API_KEY' && !env[address])
      throw badConfig(`${variable} is set, and ${address} is not: set both, or none`)
  }
  return endpoints
}

const badConfig = (message: string) => new DevflowError('INVALID', 'bad_config', message)
