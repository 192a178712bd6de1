import {
  type AgentPhase,
  type BoundPersona,
  costOf,
  type Definition,
  DevflowError,
  type ModelPrice,
  mostItCosts,
} from '@devflow/contracts'
import { render, treeOf } from '@devflow/definition'
import { multiple } from './money.ts'
import type { PersonaPrices } from './prices.ts'

/** What a phase costs by its prices and caps, once. */
export interface Estimate {
  tokens: number
  low: number
  /** Undefined where nobody knows a price. */
  high: number | undefined
  /** What it uses at least. */
  leastTokens: number
  /** The smallest reservation that lets its first call be sent. */
  admission: { microUsd: number; tokens: number }
}

// As sessions reserve: few tokenizers make more than one token of three characters. Most make one of four or more.
const FEWEST_CHARACTERS_PER_TOKEN = 3
const USUAL_CHARACTERS_PER_TOKEN = 4
const DEFAULT_OUTPUT_TOKENS = 4_096
const DEFAULT_TURNS = 50
/** A budget that does not pay an answer of so many tokens pays none. */
const LEAST_OUTPUT_TOKENS = 256

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
  const reserved = Math.ceil(characters / FEWEST_CHARACTERS_PER_TOKEN)
  const artifacts = (agent.inputs ?? []).map((name) => longest(definition, name))
  const most = artifacts.reduce((all, tokens) => all + tokens, reserved)
  const output = model.maxOutputTokens ?? DEFAULT_OUTPUT_TOKENS
  const short = Math.min(output, LEAST_OUTPUT_TOKENS)
  const calls = callsAtMost(persona, most + output)
  const first = { inputTokens: Math.ceil(characters / USUAL_CHARACTERS_PER_TOKEN), outputTokens: 1 }
  const low = costs(prices, (price) => costOf(price, first))
  const high = costs(prices, (price) => mostItCosts(price, most, output))
  const admitted = costs(prices, (price) => mostItCosts(price, reserved, short))
  return {
    tokens: calls * (most + output),
    low: low === undefined ? 0 : Math.min(...low),
    high: high && multiple(Math.max(...high), calls),
    leastTokens: first.inputTokens + first.outputTokens,
    admission: { microUsd: admitted ? Math.max(...admitted) : 0, tokens: reserved + short },
  }
}

/** By each of the prices; undefined where one of them is not known, or makes no sense. */
function costs(prices: PersonaPrices, by: (price: ModelPrice) => number | undefined): number[] | undefined {
  const all = prices.map((price) => price && by(price))
  return all.every((cost) => cost !== undefined) ? all : undefined
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
