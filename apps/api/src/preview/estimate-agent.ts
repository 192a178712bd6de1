import {
  type AgentPhase,
  type BoundPersona,
  costOf,
  type Definition,
  DevflowError,
  mostItCosts,
} from '@devflow/contracts'
import { render, treeOf } from '@devflow/definition'
import { multiple } from './money.ts'
import type { PersonaPrices } from './prices.ts'

/** What a phase costs by its prices and caps, once. */
export interface Estimate {
  tokens: number
  /** Of the one call at least. */
  leastTokens: number
  low: number
  /** Undefined where nobody knows a price. */
  high: number | undefined
}

// As sessions reserve: few tokenizers make more than one token of three characters. Most make one of four or more.
const FEWEST_CHARACTERS_PER_TOKEN = 3
const USUAL_CHARACTERS_PER_TOKEN = 4
const DEFAULT_OUTPUT_TOKENS = 4_096
const DEFAULT_TURNS = 50

/** What the definition of a tool takes in a prompt, about. */
const CHARACTERS_OF_TOOL = 500

/**
 * From one call that answers nothing to as many calls as the persona may make, each at what would be reserved for the
 * first: at the dearest of its models, with all the output it may make, and with artifacts as long as they can get.
 */
export function estimateAgent(
  definition: Definition,
  persona: BoundPersona,
  agent: AgentPhase,
  prices: PersonaPrices,
  input: unknown,
): Estimate {
  const { model } = persona
  const schema = agent.produces === undefined ? undefined : definition.artifacts[agent.produces]?.jsonSchema
  const characters =
    persona.instructions.length +
    promptLength(agent.prompt, input) +
    (schema ? JSON.stringify(schema).length : 0) +
    (agent.tools?.length ?? 0) * CHARACTERS_OF_TOOL
  const artifacts = (agent.inputs ?? []).map((name) => longest(definition, name))
  const output = model.maxOutputTokens ?? DEFAULT_OUTPUT_TOKENS
  const most = Math.ceil(characters / FEWEST_CHARACTERS_PER_TOKEN) + artifacts.reduce((a, b) => a + b, 0)
  const calls = callsAtMost(persona, most + output)
  const tokens = calls * (most + output)
  const first = { inputTokens: Math.ceil(characters / USUAL_CHARACTERS_PER_TOKEN), outputTokens: 1 }
  const known = prices.filter((price) => price !== undefined)
  const lows = known.map((price) => costOf(price, first)).filter((cost) => cost !== undefined)
  const highs = known.map((price) => mostItCosts(price, most, output)).filter((cost) => cost !== undefined)
  if (highs.length < prices.length)
    return { tokens, leastTokens: first.inputTokens + 1, low: 0, high: undefined }
  return {
    tokens,
    leastTokens: first.inputTokens + 1,
    low: Math.min(...lows),
    high: multiple(Math.max(...highs), calls),
  }
}

/** A call is begun as long as `maxTokensTotal` is not used up. */
function callsAtMost({ model }: BoundPersona, tokensOfCall: number): number {
  const turns = model.maxTurns ?? DEFAULT_TURNS
  if (model.maxTokensTotal === undefined) return turns
  return Math.min(turns, Math.floor(model.maxTokensTotal / tokensOfCall) + 1)
}

/** An artifact is at most as long as what the phase that makes it may say at once. */
function longest({ phases, roles }: Definition, artifact: string): number {
  for (const { phase } of treeOf(phases).nodes.values()) {
    if ('agent' in phase && phase.agent.produces === artifact)
      return roles[phase.agent.role]?.model.maxOutputTokens ?? DEFAULT_OUTPUT_TOKENS
  }
  return DEFAULT_OUTPUT_TOKENS
}

/** With this input. What phases before it will say is not known yet: then as it is written, with the whole input. */
function promptLength(prompt: string, input: unknown): number {
  try {
    return render(prompt, { input, artifacts: {}, phases: {}, run: { id: '', attempt: 1 } }).length
  } catch (error) {
    if (!(error instanceof DevflowError)) throw error
    return prompt.length + JSON.stringify(input).length
  }
}
