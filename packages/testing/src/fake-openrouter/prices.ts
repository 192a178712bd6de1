import { Decimal } from 'decimal.js'

interface FakePrice {
  prompt: string
  completion: string
  cached?: string
  /** The dated slug OpenRouter answers with. */
  canonical: string
  provider: string
}

/** USD per token. Models not listed cost as `deepseek/deepseek-chat`; names ending in `:free` cost nothing. */
const PRICES: Record<string, FakePrice> = {
  'deepseek/deepseek-chat': {
    prompt: '0.00000032',
    completion: '0.00000089',
    canonical: 'deepseek/deepseek-chat-v3',
    provider: 'DeepInfra',
  },
  'qwen/qwen3-coder': {
    prompt: '0.00000022',
    completion: '0.000001',
    canonical: 'qwen/qwen3-coder-480b-a35b-07-25',
    provider: 'Chutes',
  },
  'openai/gpt-4o-mini': {
    prompt: '0.00000015',
    completion: '0.0000006',
    cached: '0.000000075',
    canonical: 'openai/gpt-4o-mini-2024-07-18',
    provider: 'OpenAI',
  },
  'anthropic/claude-sonnet-4.5': {
    prompt: '0.000003',
    completion: '0.000015',
    cached: '0.0000003',
    canonical: 'anthropic/claude-4.5-sonnet-20250929',
    provider: 'Amazon Bedrock',
  },
}

const FREE: FakePrice = { prompt: '0', completion: '0', canonical: '', provider: 'Chutes' }

export function priceOf(model: string): FakePrice {
  if (model.endsWith(':free')) return { ...FREE, canonical: model }
  const listed = PRICES[model]
  if (listed) return listed
  return { ...(PRICES['deepseek/deepseek-chat'] as FakePrice), canonical: model }
}

export const knownModels = (): string[] => Object.keys(PRICES)

/**
 * USD as decimal text: (prompt − cached) × prompt price + cached × cache price + completion × completion price,
 * the formula that fits recorded OpenRouter bills.
 */
export function costUsd(model: string, prompt: number, completion: number, cached = 0): Decimal {
  const price = priceOf(model)
  return new Decimal(price.prompt)
    .times(prompt - cached)
    .plus(new Decimal(price.cached ?? price.prompt).times(cached))
    .plus(new Decimal(price.completion).times(completion))
}

export const microUsd = (usd: Decimal): Decimal => usd.times(1_000_000).toDecimalPlaces(6)
