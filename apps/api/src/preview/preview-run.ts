import type { Budget, Definition, PhasePreview, PreviewWarning, RunPreview } from '@devflow/contracts'
import {
  type Queryable,
  readDefaultedBudget,
  readPhaseHistory,
  readSharedBudgets,
  type Submitted,
} from '@devflow/db'
import { costPhases } from './cost-phases.ts'
import { sum } from './money.ts'
import { pricesOf } from './prices.ts'
import { budgetWarnings } from './warnings.ts'

/** What a submission that was prepared would be as a run, and what it may cost. Reads, and writes nothing. */
export async function previewRun(
  db: Queryable,
  tenant: string,
  { definition, submitted }: { definition: Definition; submitted: Submitted },
): Promise<RunPreview> {
  const { input, parent, definitionHash, bindings } = submitted
  const definitions = withChildren(definition)
  const personas = definitions.flatMap(({ roles }) => Object.values(roles))
  const templates = [...new Set(definitions.map(({ template }) => template))]
  const [budget, prices, shared, ...histories] = await Promise.all([
    parent === undefined ? readDefaultedBudget(db, tenant, submitted.budget) : submitted.budget,
    pricesOf(db, personas),
    readSharedBudgets(db, {
      tenant,
      personas: personas.map(({ id }) => id),
      ...(parent === undefined ? {} : { parent }),
    }),
    ...templates.map((template) => readPhaseHistory(db, { tenant, template })),
  ])
  const history = new Map(templates.map((template, index) => [template, histories[index] ?? []]))
  const costed = costPhases(definition, input, { prices, history })
  const agents = costed.map(({ preview }) => preview).filter(({ kind }) => kind === 'agent')
  const limits = limitsOf(budget)
  return {
    definitionHash,
    bindings,
    phases: costed.map(({ preview }) => within(preview, limits)),
    total: totalOf(agents, limits),
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

/** A definition, and those of the runs that it starts. */
function withChildren(definition: Definition): Definition[] {
  const children = Object.values(definition.children ?? {})
  return [definition, ...children.flatMap((child) => withChildren(child.definition))]
}

interface Limits {
  microUsd: number
  tokens: number
}

/** What a run can spend at most: its limit, unless that only warns. */
function limitsOf({ limitMicroUsd, limitTokens, onExceeded }: Budget): Limits {
  const holds = onExceeded !== 'warn_continue'
  return {
    microUsd: (holds ? limitMicroUsd : undefined) ?? Number.POSITIVE_INFINITY,
    tokens: (holds ? limitTokens : undefined) ?? Number.POSITIVE_INFINITY,
  }
}

function within(phase: PhasePreview, limits: Limits): PhasePreview {
  const { tokens, microUsd, ...rest } = phase.estimate
  const estimate = { tokens: Math.min(tokens, limits.tokens), microUsd: cut(microUsd, limits), ...rest }
  return { ...phase, estimate }
}

function cut({ low, high }: { low: number; high?: number | undefined }, limits: Limits) {
  const most = Math.min(high ?? Number.POSITIVE_INFINITY, limits.microUsd)
  return { low: Math.min(low, limits.microUsd), ...(Number.isFinite(most) ? { high: most } : {}) }
}

function totalOf(agents: readonly PhasePreview[], limits: Limits): RunPreview['total'] {
  const highs = agents.map(({ estimate }) => estimate.microUsd.high)
  const known = highs.filter((high) => high !== undefined)
  const low = sum(...agents.map(({ estimate }) => estimate.microUsd.low))
  const tokens = agents.reduce((all, { estimate }) => all + estimate.tokens, 0)
  return {
    tokens: Math.min(tokens, limits.tokens, Number.MAX_SAFE_INTEGER),
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
