import { type ErrorRecord, type Outcome, REPORT_FORMAT, type Report } from '@devflow/contracts'
import { type Progress, readReportFacts } from '@devflow/db'
import type { Deps } from '../deps.ts'
import { readArtifacts } from '../scope.ts'

/** What ended the run: not in its projections yet, since the report comes before the terminal event. */
export interface RunResult {
  outcome: Outcome
  output?: unknown
  error?: ErrorRecord
  phase?: string
}

/** The report of a run's round, from its log and ledger. */
export async function buildReport(deps: Deps, progress: Progress, result: RunResult): Promise<Report> {
  const { definition } = await deps.definitions.get(progress.definitionHash)
  const facts = await readReportFacts(deps.pool, progress.runId)
  const contents = await readArtifacts(deps.pool, progress)
  return {
    format: REPORT_FORMAT,
    runId: progress.runId,
    template: progress.template,
    title: definition.title,
    definitionHash: progress.definitionHash,
    outcome: result.outcome,
    attempt: progress.attempt,
    input: progress.input as Report['input'],
    ...(result.output === undefined ? {} : { output: result.output as Report['output'] }),
    ...(result.error ? { error: result.error } : {}),
    actor: progress.actor,
    createdAt: progress.createdAt.toISOString(),
    endedAt: progress.now.toISOString(),
    latencyMs: progress.now.getTime() - progress.createdAt.getTime(),
    usage: facts.usage,
    phases: progress.phases.map((at) => {
      const fact = facts.phases.find(({ phase }) => phase === at.id)
      const gate = facts.gates.find(({ id }) => id === at.id)
      const produced = producedBy(at.output)
      const version = progress.artifacts.find(({ name }) => name === produced)
      return {
        id: at.id,
        kind: at.kind,
        status: at.status,
        attempts: at.attempt,
        ...(fact?.persona ? { persona: fact.persona } : {}),
        ...(fact?.model ? { model: fact.model } : {}),
        turns: fact?.turns ?? 0,
        repairs: fact?.repairs ?? 0,
        costMicroUsd: fact?.costMicroUsd ?? 0,
        ...(at.error ? { error: at.error } : {}),
        ...(version ? { artifact: { ...version, content: contents[version.name] as Report['input'] } } : {}),
        ...(gate ? { gate: { status: gate.status, title: gate.title, decisions: gate.decisions } } : {}),
      }
    }),
  }
}

function producedBy(output: unknown): string | undefined {
  return output !== null &&
    typeof output === 'object' &&
    'artifact' in output &&
    typeof output.artifact === 'string'
    ? output.artifact
    : undefined
}
