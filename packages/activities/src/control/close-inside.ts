import { type ErrorRecord, sessionKey } from '@devflow/contracts'
import { type EventLine, fenceSessions, type PhaseProgress, type Progress } from '@devflow/db'
import { stopChildren } from './child-run.ts'
import { event, isInside, type Step } from './step.ts'
import { Work } from './work.ts'

/**
 * Ends a phase that holds others before they are done, with an error or without: first all that runs in it is stopped
 * (I7), and only when it has, its gates are closed and it ends, with whatever is not over in it.
 */
export async function closeInside(
  step: Step,
  { open, busy }: { open: readonly PhaseProgress[]; busy: readonly string[] },
  error?: ErrorRecord,
): Promise<Work> {
  const { deps, at, progress } = step
  const work = new Work()
  const rows = open.filter((row) => isInside(row, at))
  const sessions = rows.map(({ id, attempt }) => sessionKey({ phase: id, attempt }))
  for (const session of sessions) if (busy.includes(session)) work.stop.add(session)
  const children = rows.flatMap(({ kind, status, child }) =>
    kind === 'workflow' && status !== 'pending' && child ? [child] : [],
  )
  if (await stopChildren(step, children)) work.moves = true
  if (work.stop.size > 0 || work.moves || progress.control === 'paused') return work
  // A frozen worker may still believe that a session is its own (I13).
  await fenceSessions(deps.pool, progress.runId, sessions)
  const ids = new Set(rows.map(({ id }) => id))
  work.lines.push(
    ...progress.gates.filter(({ phase, status }) => status === 'open' && ids.has(phase)).map(gateClosed),
    event(step, error ? 'phase.failed' : 'phase.completed', 'end', {
      ...(error ? { error } : {}),
      closes: true,
    }),
  )
  return work
}

function gateClosed({ id, phase, attempt, isBudget }: Progress['gates'][number]): EventLine {
  return {
    type: 'gate.closed',
    key: isBudget ? `gate/${id}/closed` : `${id}/${attempt}/closed`,
    phase,
    attempt,
    data: { gate: id, status: 'canceled', by: 'phase around it' },
  }
}
