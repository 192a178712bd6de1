import { readFileSync } from 'node:fs'
import { ContextWindow, DevflowError, ModelPricing, Provider } from '@devflow/contracts'
import { z } from 'zod'

/** How prices of models are come by. */
export const PRICING_VARIABLES = {
  DEVFLOW_PRICING: z
    .string()
    .optional()
    .describe('prices of your own: a JSON file, or the JSON itself, as {provider: {model: {input, output}}}'),
  DEVFLOW_PRICING_REFRESH_MS: z.coerce
    .number()
    .int()
    .nonnegative()
    .default(6 * 3_600_000)
    .describe('how often the price list of OpenRouter is read; 0: only when someone asks'),
}

const ConfiguredModel = ModelPricing.extend({ contextWindow: ContextWindow.optional() })
const Configured = z.partialRecord(Provider, z.record(z.string().min(1).max(200), ConfiguredModel))

export type ConfiguredPrices = z.infer<typeof Configured>
type Given = z.infer<z.ZodObject<typeof PRICING_VARIABLES>>

/** Throws INVALID `bad_config` that names what is wrong and where. */
export function pricingOf(given: Given): { configured: ConfiguredPrices; refreshMs: number } {
  const { DEVFLOW_PRICING: configured, DEVFLOW_PRICING_REFRESH_MS: refreshMs } = given
  return { configured: configured ? configuredPrices(jsonOf(configured)) : {}, refreshMs }
}

function jsonOf(given: string): unknown {
  const isText = given.trimStart().startsWith('{')
  try {
    return JSON.parse(isText ? given : readFileSync(given, 'utf8'))
  } catch (error) {
    const what = isText ? 'no JSON' : `of no use: ${given}`
    throw badConfig(`DEVFLOW_PRICING is ${what} (${error instanceof Error ? error.message : error})`)
  }
}

function configuredPrices(value: unknown): ConfiguredPrices {
  const parsed = Configured.safeParse(value)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map(
    ({ path, message }) => `${path.join(' → ') || 'the whole'}: ${message}`,
  )
  throw badConfig(`DEVFLOW_PRICING is wrong. ${faults.slice(0, 5).join('. ')}`)
}

const badConfig = (message: string) => new DevflowError('INVALID', 'bad_config', message)
