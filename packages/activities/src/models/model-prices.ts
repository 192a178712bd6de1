import type { Model, ModelPrice } from '@devflow/contracts'

/**
 * OpenRouter's list prices in micro-dollars per token, noted by hand in November 2026 and not refreshed. They only size
 * reservations: what is settled is the provider's own figure. A persona's `pricing` wins over them.
 */
const OPENROUTER_PRICES: Record<string, ModelPrice> = {
  'anthropic/claude-haiku-4.5': { input: 1, output: 5 },
  'anthropic/claude-opus-4.5': { input: 5, output: 25 },
  'anthropic/claude-sonnet-4': { input: 3, output: 15 },
  'anthropic/claude-sonnet-4.5': { input: 3, output: 15 },
  'deepseek/deepseek-chat': { input: 0.32, output: 0.89 },
  'deepseek/deepseek-chat-v3-0324': { input: 0.25, output: 0.9 },
  'google/gemini-2.5-flash': { input: 0.3, output: 2.5 },
  'google/gemini-2.5-pro': { input: 1.25, output: 10 },
  'meta-llama/llama-3.3-70b-instruct': { input: 0.13, output: 0.4 },
  'moonshotai/kimi-k2': { input: 0.6, output: 2.5 },
  'openai/gpt-4.1-mini': { input: 0.4, output: 1.6 },
  'openai/gpt-4o-mini': { input: 0.15, output: 0.6 },
  'qwen/qwen3-coder': { input: 0.3, output: 1.2 },
  'x-ai/grok-code-fast-1': { input: 0.2, output: 1.5 },
  'z-ai/glm-4.6': { input: 0.6, output: 2.2 },
}

const FREE: ModelPrice = { input: 0, output: 0 }

/** Suffixes that choose among a model's providers at its list price. */
const ROUTING = /:(?:nitro|floor|exacto|extended)$/

export function openRouterPrice(model: Model): ModelPrice | undefined {
  if (model.pricing) return model.pricing
  if (model.name.endsWith(':free')) return FREE
  return OPENROUTER_PRICES[model.name.replace(ROUTING, '')]
}
