import { type BoundPersona, type Definition, DevflowError, type PhasePreview } from '@devflow/contracts'
import type { PhaseHistory } from '@devflow/db'
import { evaluateValue, type PhaseNode, treeOf } from '@devflow/definition'
import { type Estimate, estimateAgent } from './estimate-agent.ts'
import { isLess, multiple } from './money.ts'
import type { PersonaPrices } from './prices.ts'
import { type Repetitions, repetitionsOf } from './repetitions.ts'
import type { Need } from './warnings.ts'

/** So many finished runs say more of what a phase costs than its caps do. */
const ENOUGH_RUNS = 5

/** What was read before phases are costed. */
export interface Known {
  prices: ReadonlyMap<string, PersonaPrices>
  /** By template. */
  history: ReadonlyMap<string, readonly PhaseHistory[]>
}

export interface Costed {
  preview: PhasePreview
  /** Of an agent phase that is run for sure. */
  need?: Need
  /** How often it is run shows only in the run. */
  openEnded: boolean
}

/** The run that phases are of: the one that is submitted, or one that a workflow phase starts. */
interface Place {
  /** Stands before the ids of a child's phases. */
  prefix: string
  inside?: string
  /** How often the run itself is started. */
  times: Repetitions
}

const SUBMITTED: Place = { prefix: '', times: { least: 1, most: 1, openEnded: false } }

/** All phases from top to bottom, those of child runs behind the phase that starts them. */
export function costPhases(
  definition: Definition,
  input: unknown,
  known: Known,
  place: Place = SUBMITTED,
): Costed[] {
  return [...treeOf(definition.phases).nodes.values()].flatMap((node) => {
    const costed = costPhase(definition, node, input, known, place)
    return [costed, ...costChild(definition, node, input, known, place)]
  })
}

function costPhase(
  definition: Definition,
  node: PhaseNode,
  input: unknown,
  { prices, history }: Known,
  place: Place,
): Costed {
  const { phase, kind, name } = node
  const role = 'agent' in phase ? definition.roles[phase.agent.role] : undefined
  const where = { id: place.prefix + name, kind, ...insideOf(node, place) }
  if (!('agent' in phase) || !role) {
    const estimate = { tokens: 0, microUsd: { low: 0, high: 0 } }
    return { preview: { ...where, estimate }, openEnded: false }
  }
  const own = repetitionsOf(node, input)
  const once = estimateAgent(definition, role, phase.agent, prices.get(role.id) ?? [undefined], input)
  const told = history.get(definition.template)?.find((one) => one.phase === name && one.persona === role.id)
  const ofRun = estimateOf(times(once, own), told)
  const estimate = {
    tokens: Math.min(ofRun.tokens * place.times.most, Number.MAX_SAFE_INTEGER),
    microUsd: {
      low: multiple(ofRun.microUsd.low, place.times.least),
      ...(ofRun.microUsd.high === undefined ? {} : { high: multiple(ofRun.microUsd.high, place.times.most) }),
    },
    ...(ofRun.runs === undefined ? {} : { runs: ofRun.runs }),
  }
  const least = own.least * place.times.least
  const need = {
    ...{ persona: role.id, admission: once.admission },
    ...{ microUsd: estimate.microUsd.low, tokens: once.leastTokens * least },
  }
  return {
    preview: { ...where, ...whoOf(role), estimate },
    ...(least > 0 ? { need } : {}),
    openEnded: (own.openEnded && told === undefined) || place.times.openEnded,
  }
}

/** The phases of the run that a workflow phase starts. */
function costChild(
  { children }: Definition,
  node: PhaseNode,
  input: unknown,
  known: Known,
  place: Place,
): Costed[] {
  const { phase, name } = node
  const child = 'workflow' in phase ? children?.[phase.workflow.template] : undefined
  if (!('workflow' in phase) || !child) return []
  const own = repetitionsOf(node, input)
  return costPhases(child.definition, inputOf(phase.workflow.input, input), known, {
    prefix: `${place.prefix}${name}/`,
    inside: place.prefix + name,
    times: {
      least: own.least * place.times.least,
      most: Math.min(own.most * place.times.most, Number.MAX_SAFE_INTEGER),
      openEnded: own.openEnded || place.times.openEnded,
    },
  })
}

/** What a child is given, as far as it shows before the run. */
function inputOf(said: unknown, input: unknown): unknown {
  try {
    return evaluateValue(said, { input, artifacts: {}, phases: {}, run: { id: '', attempt: 1 } }) ?? {}
  } catch (error) {
    if (error instanceof DevflowError) return {}
    throw error
  }
}

function insideOf({ parent }: PhaseNode, { prefix, inside }: Place): { inside?: string } {
  if (parent) return { inside: prefix + parent.name }
  return inside === undefined ? {} : { inside }
}

const whoOf = ({ id, model }: BoundPersona) => ({ persona: id, model: model.name })

type Range = Pick<Estimate, 'tokens' | 'low' | 'high'>

const times = ({ tokens, low, high }: Range, { least, most }: Repetitions): Range => ({
  tokens: tokens * most,
  low: multiple(low, least),
  high: high === undefined ? undefined : multiple(high, most),
})

/** What earlier runs have cost, once there are enough of them; until then they only widen what prices and caps say. */
function estimateOf({ tokens, low, high }: Range, told: PhaseHistory | undefined): PhasePreview['estimate'] {
  if (!told) return { tokens, microUsd: { low, ...(high === undefined ? {} : { high }) } }
  const { runs } = told
  const past = { low: Number(told.low), high: Number(told.high) }
  if (runs >= ENOUGH_RUNS) return { tokens: told.tokens, microUsd: past, runs }
  return {
    tokens: Math.max(tokens, told.tokens),
    microUsd: {
      low: isLess(past.low, low) ? past.low : low,
      ...(high === undefined ? {} : { high: isLess(high, past.high) ? past.high : high }),
    },
    runs,
  }
}
