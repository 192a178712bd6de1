import type { Provider } from '@devflow/contracts'

/** Providers that can do nothing without a key. */
export const KEY_PROVIDERS = [
  'openrouter',
  'openai',
  'anthropic',
  'google',
] as const satisfies readonly Provider[]
export type KeyProvider = (typeof KEY_PROVIDERS)[number]

/** The variables that API and worker read a key from; of several the first wins, and is the one that a kept key is given by. */
export const KEY_VARIABLES: Record<KeyProvider, readonly [string, ...string[]]> = {
  openrouter: ['OPENROUTER_API_KEY'],
  openai: ['OPENAI_API_KEY'],
  anthropic: ['ANTHROPIC_API_KEY'],
  google: ['GOOGLE_API_KEY', 'GEMINI_API_KEY'],
}

/** Where people make one. */
export const KEY_PAGES: Record<KeyProvider, string> = {
  openrouter: 'https://openrouter.ai/keys',
  openai: 'https://platform.openai.com/api-keys',
  anthropic: 'https://console.anthropic.com/settings/keys',
  google: 'https://aistudio.google.com/apikey',
}

/** The variable that a provider's key is set by in an environment. */
export const variableSet = (
  env: Readonly<Record<string, string | undefined>>,
  provider: KeyProvider,
): string | undefined => KEY_VARIABLES[provider].find((variable) => env[variable])
