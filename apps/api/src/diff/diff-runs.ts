import type { Definition, DiffedRun, Run, RunDiff } from '@devflow/contracts'
import { type PhaseFigures, type Queryable, readPhaseFigures, readRun, readSubmission } from '@devflow/db'
import { definitionChanges } from '@devflow/definition'
import { runNotFound } from '../find-run.ts'
import { artifactDiffs } from './artifact-diffs.ts'
import { valueDiff } from './value-diff.ts'

/** Phases that are compared: of thousands of items the first. */
const MOST_PHASES = 1_000

/** What differs between two runs. Throws NOT_FOUND `run_not_found`. */
export async function diffRuns(db: Queryable, tenant: string, a: string, b: string): Promise<RunDiff> {
  const [one, other] = [await sideOf(db, tenant, a), await sideOf(db, tenant, b)]
  const input = valueDiff(one.run.input, other.run.input)
  const output = valueDiff(one.run.output, other.run.output)
  const definition = definitionsDiff(one, other)
  const artifacts = await artifactDiffs(db, a, b)
  return {
    same:
      one.run.status === other.run.status &&
      one.run.error?.code === other.run.error?.code &&
      one.run.definitionHash === other.run.definitionHash &&
      [...input.changes, ...output.changes].length === 0 &&
      artifacts.every(({ change }) => change === 'same'),
    a: factsOf(one.run),
    b: factsOf(other.run),
    input,
    definition,
    phases: phasesDiff(one.phases, other.phases),
    artifacts,
    output,
  }
}

interface Side {
  run: Run
  definition: Definition
  bindings: Record<string, string>
  phases: PhaseFigures[]
}

async function sideOf(db: Queryable, tenant: string, id: string): Promise<Side> {
  const run = await readRun(db, tenant, id)
  const submission = await readSubmission(db, tenant, id)
  if (!run || !submission) throw runNotFound(id)
  const { definition, submitted } = submission
  return {
    run,
    definition,
    bindings: submitted.bindings ?? {},
    phases: await readPhaseFigures(db, id, MOST_PHASES),
  }
}

function factsOf({
  id,
  template,
  definitionHash,
  status,
  attempt,
  usage,
  createdAt,
  ...run
}: Run): DiffedRun {
  const { inputTokens, outputTokens, costMicroUsd } = usage
  return {
    ...{ id, template, definitionHash, status, attempt, inputTokens, outputTokens, costMicroUsd, createdAt },
    ...(run.forkedFrom === undefined ? {} : { forkedFrom: run.forkedFrom }),
    ...(run.error === undefined ? {} : { error: run.error }),
    ...(run.latencyMs === undefined ? {} : { latencyMs: run.latencyMs }),
  }
}

function definitionsDiff(one: Side, other: Side): RunDiff['definition'] {
  const roles = [...new Set([...Object.keys(one.bindings), ...Object.keys(other.bindings)])].sort()
  const bindings = roles.flatMap((role) => {
    const [a, b] = [one.bindings[role], other.bindings[role]]
    if (a === b) return []
    return [{ role, ...(a === undefined ? {} : { a }), ...(b === undefined ? {} : { b }) }]
  })
  const rebound = bindings.map(({ role }) => role)
  return { bindings, parts: definitionChanges(one.definition, other.definition, rebound) }
}

function phasesDiff(ours: readonly PhaseFigures[], theirs: readonly PhaseFigures[]): RunDiff['phases'] {
  const [one, other] = [byId(ours), byId(theirs)]
  const all = new Map([...ours, ...theirs].map(({ id, kind }) => [id, kind]))
  return [...all].map(([id, kind]) => ({
    id,
    kind,
    ...sideIn('a', one.get(id)),
    ...sideIn('b', other.get(id)),
  }))
}

const byId = (phases: readonly PhaseFigures[]) => new Map(phases.map((phase) => [phase.id, phase]))

function sideIn(name: 'a' | 'b', phase: PhaseFigures | undefined) {
  if (!phase) return {}
  const { id: _, kind: __, reused, latencyMs, ...figures } = phase
  return {
    [name]: { ...figures, ...(reused ? { reused } : {}), ...(latencyMs === undefined ? {} : { latencyMs }) },
  }
}
