import { z } from 'zod'

const key = (where: string) => z.string().optional().describe(`a key of ${where}`)
const address = (whose: string) => z.url().optional().describe(`another address of ${whose}`)
const stall = (fallback: number) =>
  z.coerce.number().int().positive().default(fallback).describe('how long a reply may say nothing')

/** What providers that speak their own language are told by. */
export const PROVIDER_VARIABLES = {
  ANTHROPIC_API_KEY: key('console.anthropic.com'),
  ANTHROPIC_BASE_URL: address('the Anthropic API'),
  ANTHROPIC_STALL_MS: stall(120_000),
}

type Given = z.infer<z.ZodObject<typeof PROVIDER_VARIABLES>>

export function providersOf(given: Given) {
  return {
    anthropic: {
      apiKey: given.ANTHROPIC_API_KEY,
      baseURL: given.ANTHROPIC_BASE_URL,
      progressTimeoutMs: given.ANTHROPIC_STALL_MS,
    },
  }
}

/** Keys, to be kept out of all that is stored (I8). */
export const providerSecrets = (given: Given): (string | undefined)[] => [given.ANTHROPIC_API_KEY]
