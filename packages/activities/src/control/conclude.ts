import type { Concluded, ControlActivities, ErrorRecord, Outcome } from '@devflow/contracts'
import { DevflowError } from '@devflow/contracts'
import { type EventLine, type Progress, pokeOutbox, putBlob, readOpenCalls, readProgress } from '@devflow/db'
import { evaluateValue } from '@devflow/definition'
import type { Deps } from '../deps.ts'
import { buildReport } from '../report/build.ts'
import { changesOf } from '../report/changes.ts'
import { markdownOf } from '../report/markdown/index.ts'
import { scopeOf, viewAtEnd } from '../scope/index.ts'
import { eventAt } from '../session/place.ts'
import { removeWorkspaces, runWorkspaces } from '../workspace/index.ts'
import { compensationDetail, undoingOf } from './compensate.ts'
import { outcomeOf, shownOf } from './shown.ts'

type End = Parameters<ControlActivities['conclude']>[0]

/**
 * Ends a round of a run, once nothing is left to be undone: closes what is open, writes the report, and last the terminal event, in one transaction. A
 * run that is over already, or another execution's, or in another round, is left alone.
 */
export async function conclude(deps: Deps, end: End): Promise<Concluded | undefined> {
  const progress = await readProgress(deps.pool, end.runId)
  if (!progress) return undefined
  if (progress.control === 'over') return asItEnded(progress)
  // Asked once more after its answer was lost, it must not end the round that a retry has opened meanwhile.
  if (progress.executionEpoch !== end.epoch || progress.attempt !== end.round) return undefined
  const { outcome, output, error: reason, phase, undoing } = await settle(deps, progress, end)
  if (outcome !== 'completed' && undoing.isLeft)
    return { outcome, over: false, compensate: true, shown: shownOf(progress) }
  const compensation = compensationDetail(undoing.made)
  const error = reason && { ...reason, ...(compensation ? { compensation } : {}) }
  const closing = [...(await lostCalls(deps, end.runId)), ...closingLines(progress)]
  const made = await changesOf(deps, progress, phase)
  const ended = { outcome, output, error, phase, compensations: undoing.made }
  const report = deps.scrub(await buildReport(deps, progress, ended, made?.changes))
  const version = progress.attempt
  const artifacts = await Promise.all(
    [
      { name: 'report.json', mediaType: 'application/json', text: JSON.stringify(report) },
      { name: 'report.md', mediaType: 'text/markdown', text: markdownOf(report) },
    ].map(async ({ name, mediaType, text }) => ({
      name,
      version,
      mediaType,
      sha256: await putBlob(deps.pool, end.runId, text),
      bytes: Buffer.byteLength(text),
    })),
  )
  const round = `round/${progress.attempt}`
  const data = {
    ...(output === undefined ? {} : { output }),
    ...(error ? { error } : {}),
    ...(phase ? { phase } : {}),
  }
  // What sessions that crashed on this machine left behind, without what a retry opens as soon as the end is on record.
  const owner = { dataDir: deps.dataDir, runId: end.runId }
  const left = await runWorkspaces(owner)
  const { verdict } = await deps.writer.append({
    run: end.runId,
    execution: end.epoch,
    lines: [
      ...closing,
      {
        type: 'report.written',
        key: `${round}/report`,
        data: { artifacts: [...artifacts, ...(made?.artifacts ?? [])] },
      },
      { type: `run.${outcome}`, key: `${round}/end`, data: deps.scrub(data) },
    ],
  })
  // Its parent's wake is in the outbox by now.
  if (progress.parent !== undefined) await pokeOutbox(deps.pool)
  if (verdict === 'written') await removeWorkspaces(owner, left)
  const now = await readProgress(deps.pool, end.runId)
  if (verdict === 'written' || verdict === 'duplicate')
    return { outcome, over: now?.control === 'over', shown: shownOf(now ?? progress) }
  return now?.control === 'over' ? asItEnded(now) : undefined
}

/** The end that a run comes to: that which was settled when its first phase began to be undone, whatever came since. */
async function settle(deps: Deps, progress: Progress, end: End) {
  const { definition } = await deps.definitions.get(progress.definitionHash)
  const undoing = await undoingOf(deps, progress, definition)
  const [first] = undoing.made
  const asked = { ...(await result(deps, progress, end)), phase: end.phase, undoing }
  if (!first || first.outcome === asked.outcome) return asked
  const { outcome, failedPhase: phase } = first
  return { ...(await result(deps, progress, { ...end, outcome, phase })), phase, undoing }
}

function asItEnded(progress: Progress): Concluded | undefined {
  const outcome = outcomeOf(progress)
  return outcome && { outcome, over: true, shown: shownOf(progress) }
}

async function result(
  deps: Deps,
  progress: Progress,
  end: Pick<End, 'outcome'> & { phase?: string | undefined },
): Promise<{ outcome: Outcome; output?: unknown; error?: ErrorRecord }> {
  if (end.outcome === 'failed') {
    const error = progress.phases.find(({ id }) => id === end.phase)?.error
    return {
      outcome: 'failed',
      error: error ?? { kind: 'INTERNAL', code: 'phase_failed', message: `Phase ${end.phase} failed.` },
    }
  }
  if (end.outcome === 'canceled')
    return {
      outcome: 'canceled',
      error: { kind: 'CANCELED', code: 'canceled', message: 'The run was canceled.' },
    }
  const { definition } = await deps.definitions.get(progress.definitionHash)
  if (definition.output === undefined) return { outcome: 'completed' }
  try {
    return {
      outcome: 'completed',
      output: evaluateValue(
        definition.output,
        await scopeOf(viewAtEnd({ pool: deps.pool, progress, definition }), [definition.output]),
      ),
    }
  } catch (error) {
    if (!(error instanceof DevflowError)) throw error
    return { outcome: 'failed', error: error.record }
  }
}

/** Calls whose session died and has no successor, as after a cancel: what they cost is asked of the provider later. */
async function lostCalls(deps: Deps, runId: string): Promise<EventLine[]> {
  const calls = await readOpenCalls(deps.pool, runId)
  return calls.map(({ turn, call, generationId, ...place }) =>
    eventAt(
      { runId, ...place },
      'call.lost',
      `call-${call}/end`,
      { call, status: 'unsettled', generationId, reason: 'session_lost' },
      turn,
    ),
  )
}

/** Gates that nobody will decide any more. */
function closingLines(progress: Progress): EventLine[] {
  return progress.gates
    .filter(({ status }) => status === 'open')
    .map(({ id, phase, attempt, isBudget }) => ({
      type: 'gate.closed',
      key: isBudget ? `gate/${id}/closed` : `${id}/${attempt}/closed`,
      phase,
      attempt,
      data: { gate: id, status: 'canceled', by: 'end of run' },
    }))
}
