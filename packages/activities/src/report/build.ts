import {
  type Definition,
  type ErrorRecord,
  type Outcome,
  type Phase,
  REPORT_FORMAT,
  type Report,
  type ReportModel,
  type ReportPhase,
} from '@devflow/contracts'
import {
  type Compensation,
  firstPhases,
  getBlob,
  type PhaseProgress,
  type Progress,
  type ReportFacts,
  readReportFacts,
} from '@devflow/db'
import { nameIn } from '@devflow/definition'
import { Decimal } from 'decimal.js'
import type { Deps } from '../deps.ts'
import { loadedOutput, nodeNamed } from '../scope/index.ts'
import { nextSteps } from './next-steps.ts'
import { reproduce } from './reproduce.ts'

/** Phases with a chapter of their own: of thousands the first. */
const MOST_PHASES = 500

/** What ended the run: not in its projections yet, since the report comes before the terminal event. */
export interface RunResult {
  outcome: Outcome
  output?: unknown
  error?: ErrorRecord | undefined
  phase?: string | undefined
  /** What was undone before the end, and what could not be. */
  compensations?: readonly Compensation[]
}

type Json = Report['input']

/** The report of a run's round, from its log and ledger, as things stand once the terminal event is written. */
export async function buildReport(
  deps: Deps,
  progress: Progress,
  result: RunResult,
  changes?: Report['changes'],
): Promise<Report> {
  const { definition } = await deps.definitions.get(progress.definitionHash)
  const facts = await readReportFacts(deps.pool, progress.runId)
  const { outcome, output, error, phase: failedPhase, compensations = [] } = result
  const { canceled } = facts
  const listed = await firstPhases(deps.pool, progress.runId, MOST_PHASES)
  const phases = listed.map(async (at) => {
    const phase = nodeNamed(definition, nameIn(at.id))?.phase
    return reportPhase(
      at.kind === 'function'
        ? { ...at, output: await loadedOutput(deps.pool, progress.runId, at.output) }
        : at,
      phase,
      facts,
      outcome,
      await artifactOf(deps, progress.runId, at, facts, definition),
    )
  })
  const report: Omit<Report, 'next' | 'reproduce'> = {
    format: REPORT_FORMAT,
    runId: progress.runId,
    template: progress.template,
    title: definition.title,
    definitionHash: progress.definitionHash,
    outcome,
    attempt: progress.attempt,
    labels: progress.labels,
    input: progress.input as Json,
    ...present({
      output: output as Json | undefined,
      error,
      failedPhase: outcome === 'failed' ? failedPhase : undefined,
      changes,
      canceled: outcome === 'canceled' && canceled ? present(canceled) : undefined,
    }),
    ...(facts.fork ? { fork: { ...facts.fork, reused: reusedOf(progress, facts) } } : {}),
    actor: progress.actor,
    createdAt: progress.createdAt.toISOString(),
    endedAt: progress.now.toISOString(),
    latencyMs: progress.now.getTime() - progress.createdAt.getTime(),
    usage: facts.usage,
    budget: progress.budget,
    // What was taken over was paid elsewhere.
    models: summed(facts.models.filter(({ calls }) => calls > 0)),
    retries: facts.retries.map(present),
    phases: await Promise.all(phases),
    ...(compensations.length > 0 ? { compensations: compensations.map(undone) } : {}),
  }
  const again = reproduce({ progress, definition, facts })
  return { ...report, next: nextSteps(report, again), reproduce: again }
}

/** At the top: what is inside them is taken over with them. */
const reusedOf = ({ phases }: Progress, facts: ReportFacts): string[] =>
  phases.map(({ id }) => id).filter((id) => facts.phases.some(({ phase, reused }) => reused && phase === id))

/** Once a run is canceled, so is every phase of it that is not over; the log says so with its last event. */
const isOpen = ({ status }: PhaseProgress) => ['pending', 'running', 'waiting'].includes(status)

function reportPhase(
  at: PhaseProgress,
  phase: Phase | undefined,
  facts: ReportFacts,
  outcome: Outcome,
  artifact: ReportPhase['artifact'],
): ReportPhase {
  const fact = facts.phases.find(({ phase }) => phase === at.id)
  const models = facts.models.filter(({ phase }) => phase === at.id).map(({ phase: _, ...model }) => model)
  const gate = facts.gates.find(({ id }) => id === at.id)
  const bound = phase && 'agent' in phase ? facts.bindings[phase.agent.role] : undefined
  // Not one that was asked for help.
  const last = models.findLast(({ persona }) => persona === bound) ?? models.at(-1)
  return {
    id: at.id,
    ...present({ title: phase?.title }),
    kind: at.kind,
    ...(fact?.reused ? { reused: true } : {}),
    status: outcome === 'canceled' && isOpen(at) ? 'canceled' : at.status,
    attempts: fact?.attempts ?? 0,
    ...present({ startedAt: fact?.startedAt, endedAt: fact?.endedAt, when: fact?.when }),
    ...present({ persona: last?.persona ?? bound, model: last?.model }),
    models,
    turns: fact?.turns ?? 0,
    toolCalls: fact?.toolCalls ?? 0,
    toolsDenied: fact?.toolsDenied ?? 0,
    ...(fact?.unsandboxed ? { unsandboxed: fact.unsandboxed } : {}),
    takenOver: fact?.takenOver ?? 0,
    repairs: fact?.repairs ?? 0,
    rejections: (fact?.rejections ?? []).map(({ errors, ...place }) => ({ ...place, errors: errors ?? [] })),
    failures: fact?.failures ?? [],
    costMicroUsd: sum(models, 'costMicroUsd'),
    unsettledMicroUsd: sum(models, 'unsettledMicroUsd'),
    ...present({
      error: at.error,
      artifact,
      output: artifact || at.kind === 'gate' ? undefined : (at.output as Json | null | undefined),
    }),
    ...(gate ? { gate: gateOf(gate) } : {}),
  }
}

/** Whoever has not decided by the end of the run need not any more. */
function gateOf({ id: _, ...gate }: ReportFacts['gates'][number]): NonNullable<ReportPhase['gate']> {
  const { closedAt, closedBy, escalatedAt, openings = [], delegations = [], ...said } = gate
  const rest = {
    ...said,
    ...(openings.length > 1 ? { openings } : {}),
    ...(delegations.length > 0 ? { delegations } : {}),
  }
  const times = present({ closedAt, closedBy, escalatedAt })
  return gate.status === 'open'
    ? { ...rest, ...times, status: 'canceled', closedBy: 'end of run' }
    : { ...rest, ...times }
}

/** What the phase made, in the version that it made. */
async function artifactOf(
  deps: Deps,
  runId: string,
  { id, output }: PhaseProgress,
  facts: ReportFacts,
  definition: Definition,
): Promise<ReportPhase['artifact']> {
  const made = facts.artifacts.find(({ phase }) => phase === id)
  const isMade = output !== null && typeof output === 'object' && 'artifact' in output
  if (!made || !isMade) return undefined
  const { name, version, sha256, bytes } = made
  const text = (await getBlob(deps.pool, runId, sha256))?.toString() ?? 'null'
  const isText = definition.artifacts[nameIn(name)]?.kind !== undefined
  return { name, version, sha256, bytes, content: isText ? text : (JSON.parse(text) as Json) }
}

/** One phase that was undone, or was to be. */
function undone(made: Compensation): NonNullable<Report['compensations']>[number] {
  const { phase, attempt, function: name, status, tries, startedAt, endedAt, error } = made
  return { phase, attempt, function: name, status, tries, startedAt, ...present({ endedAt, error }) }
}

/** One row a model and persona, over all phases. */
function summed(models: ReportFacts['models']): ReportModel[] {
  const groups = Map.groupBy(models, ({ persona, provider, model }) =>
    JSON.stringify([persona, provider, model]),
  )
  return [...groups.values()].flatMap((rows) => {
    const [first] = rows
    if (!first) return []
    const { persona, provider, model } = first
    const total = (field: Amount) => sum(rows, field)
    return {
      persona,
      provider,
      model,
      calls: total('calls'),
      inputTokens: total('inputTokens'),
      outputTokens: total('outputTokens'),
      costMicroUsd: total('costMicroUsd'),
      unsettledMicroUsd: total('unsettledMicroUsd'),
    }
  })
}

type Amount = Exclude<keyof ReportModel, 'persona' | 'provider' | 'model'>

/** Money goes below a micro-dollar: never summed as floating point. */
function sum(rows: readonly Pick<ReportModel, Amount>[], field: Amount): number {
  return rows.reduce((total, row) => total.plus(row[field]), new Decimal(0)).toNumber()
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], null | undefined> } & {
  [K in keyof T as null extends T[K] ? never : undefined extends T[K] ? never : K]: T[K]
}

/** Without the fields that have no value. */
function present<T extends object>(fields: T): Present<T> {
  const kept = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined)
  return Object.fromEntries(kept) as Present<T>
}
