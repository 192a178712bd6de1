import type {
  BoundPersona,
  Budget,
  Definition,
  PhasePreview,
  PreviewWarning,
  RunPreview,
} from '@devflow/contracts'
import {
  type PhaseHistory,
  type Queryable,
  readDefaultedBudget,
  readPhaseHistory,
  readSharedBudgets,
  type Submitted,
} from '@devflow/db'
import { type PhaseNode, treeOf } from '@devflow/definition'
import { type Estimate, estimateAgent } from './estimate-agent.ts'
import { isLess, multiple, sum } from './money.ts'
import { type PersonaPrices, pricesOf } from './prices.ts'
import { repetitionsOf } from './repetitions.ts'
import { budgetWarnings, type Need } from './warnings.ts'

/** So many finished runs say more of what a phase costs than its caps do. */
const ENOUGH_RUNS = 5

interface Known {
  definition: Definition
  input: unknown
  prices: ReadonlyMap<string, PersonaPrices>
  history: readonly PhaseHistory[]
}

interface Costed {
  preview: PhasePreview
  /** Of an agent phase that is run for sure. */
  need?: Need
  openEnded: boolean
}

/** What a submission that was prepared would be as a run, and what it may cost. Reads, and writes nothing. */
export async function previewRun(
  db: Queryable,
  tenant: string,
  { definition, submitted }: { definition: Definition; submitted: Submitted },
): Promise<RunPreview> {
  const { input, parent, definitionHash, bindings } = submitted
  const personas = Object.values(definition.roles)
  const [budget, prices, history, shared] = await Promise.all([
    parent === undefined ? readDefaultedBudget(db, tenant, submitted.budget) : submitted.budget,
    pricesOf(db, personas),
    readPhaseHistory(db, { tenant, template: definition.template }),
    readSharedBudgets(db, {
      tenant,
      personas: personas.map(({ id }) => id),
      ...(parent === undefined ? {} : { parent }),
    }),
  ])
  const known = { definition, input, prices, history }
  const costed = [...treeOf(definition.phases).nodes.values()].map((node) => costOfPhase(node, known))
  const phases = costed.map(({ preview }) => preview)
  const agents = phases.filter(({ kind }) => kind === 'agent')
  const bound = limitOf(budget)
  return {
    definitionHash,
    bindings,
    phases: phases.map((phase) => within(phase, bound)),
    total: totalOf(agents, bound),
    budget,
    warnings: [
      ...budgetWarnings(budget, shared, {
        needs: costed.flatMap(({ need }) => need ?? []),
        unpriced: agents.filter(({ estimate }) => estimate.microUsd.high === undefined),
      }),
      ...costed.filter(({ openEnded }) => openEnded).map(({ preview }) => openEndedWarning(preview)),
    ],
  }
}

function costOfPhase(node: PhaseNode, known: Known): Costed {
  const { definition, input, prices, history } = known
  const { phase, kind, name, parent } = node
  const role = 'agent' in phase ? definition.roles[phase.agent.role] : undefined
  const place = { id: name, kind, ...(parent ? { inside: parent.name } : {}) }
  if (!('agent' in phase) || !role) {
    const estimate = { tokens: 0, microUsd: { low: 0, high: 0 } }
    return { preview: { ...place, estimate }, openEnded: false }
  }
  const { least, most, openEnded } = repetitionsOf(node, input)
  const once = estimateAgent(definition, role, phase.agent, prices.get(role.id) ?? [undefined], input)
  const capped = {
    tokens: once.tokens * most,
    low: multiple(once.low, least),
    high: once.high === undefined ? undefined : multiple(once.high, most),
  }
  const told = history.find((one) => one.phase === name && one.persona === role.id)
  const estimate = estimateOf(capped, told)
  const { admission, leastTokens } = once
  const need = {
    ...{ persona: role.id, admission },
    ...{ microUsd: estimate.microUsd.low, tokens: leastTokens * least },
  }
  return {
    preview: { ...place, ...whoOf(role), estimate },
    ...(least > 0 ? { need } : {}),
    openEnded: openEnded && told === undefined,
  }
}

const whoOf = ({ id, model }: BoundPersona) => ({ persona: id, model: model.name })

/** What earlier runs have cost, once there are enough of them; until then they only widen what prices and caps say. */
function estimateOf(
  { tokens, low, high }: Pick<Estimate, 'tokens' | 'low' | 'high'>,
  told: PhaseHistory | undefined,
): PhasePreview['estimate'] {
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

/** What a run can spend at most: its limit, unless that only warns. */
function limitOf({ limitMicroUsd, limitTokens, onExceeded }: Budget): { microUsd: number; tokens: number } {
  const holds = onExceeded !== 'warn_continue'
  return {
    microUsd: (holds ? limitMicroUsd : undefined) ?? Number.POSITIVE_INFINITY,
    tokens: (holds ? limitTokens : undefined) ?? Number.POSITIVE_INFINITY,
  }
}

type Limits = ReturnType<typeof limitOf>

function within(phase: PhasePreview, limits: Limits): PhasePreview {
  const { tokens, microUsd, ...rest } = phase.estimate
  return {
    ...phase,
    estimate: { tokens: Math.min(tokens, limits.tokens), microUsd: cut(microUsd, limits), ...rest },
  }
}

function cut({ low, high }: { low: number; high?: number | undefined }, limits: Limits) {
  const most = Math.min(high ?? Number.POSITIVE_INFINITY, limits.microUsd)
  return { low: Math.min(low, limits.microUsd), ...(Number.isFinite(most) ? { high: most } : {}) }
}

function totalOf(agents: readonly PhasePreview[], limits: Limits): RunPreview['total'] {
  const highs = agents.map(({ estimate }) => estimate.microUsd.high)
  const known = highs.filter((high) => high !== undefined)
  const low = sum(...agents.map(({ estimate }) => estimate.microUsd.low))
  return {
    tokens: Math.min(
      agents.reduce((all, { estimate }) => all + estimate.tokens, 0),
      limits.tokens,
    ),
    microUsd: cut({ low, high: known.length < highs.length ? undefined : sum(...known) }, limits),
  }
}

function openEndedWarning({ id }: PhasePreview): PreviewWarning {
  return {
    code: 'open_ended',
    message: `How often ${id} is run shows only in the run: it is counted once.`,
    blocks: false,
    phase: id,
  }
}
