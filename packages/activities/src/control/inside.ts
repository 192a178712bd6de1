import { DevflowError, sessionKey } from '@devflow/contracts'
import {
  hasGateClosed,
  openPhasesIn,
  type PhaseProgress,
  phasesById,
  restPausedRun,
  restRun,
} from '@devflow/db'
import { around, isTrue, LEVEL, nameIn, type PhaseNode } from '@devflow/definition'
import { nodeNamed, scopeOf, viewInside } from '../scope/index.ts'
import { joinLines } from '../session/join-lines.ts'
import { closeInside } from './close-inside.ts'
import { isPassedOver, moveOn, retryLine } from './move-on.ts'
import { CONCURRENCY, expansion } from './open-inside.ts'
import { event, isInside, MOVED, type Move, type Step } from './step.ts'
import { timeLeft, timeoutError } from './time-left.ts'
import { Work } from './work.ts'

/** Sessions of one run at a time: each is named to the workflow, whose payloads stay small (I4). */
const MOST_SESSIONS = 200

/**
 * What is to do inside a phase at the top: read from those of its phases that are not over, however many are. Resolves
 * to what the workflow does, or to lines that come first.
 */
export async function inside(step: Step, busy: readonly string[]): Promise<Move> {
  const { deps, progress, at } = step
  const sight = { open: await openIn(step), busy }
  // Phases are read after gates: one decided in between is done by its phase and still open by its gate, and what comes
  // after it would begin though it may have ended the run, or sent it back.
  if (await hasGateClosed(deps.pool, progress.runId, progress.seq)) return MOVED
  const work = endsWithin(step) ? await closeInside(step, sight) : await look(step, sight)
  if (work.lines.length > 0) return { lines: work.lines }
  if (work.moved) return MOVED
  const { runId, executionEpoch, seq } = progress
  const isPaused = progress.control === 'paused'
  const rests = !work.runs(busy)
  if (rests && isPaused && !(await sayPaused(step))) return MOVED
  // The run waits only when nothing of it runs; said under the lock, of the log as it was read.
  if (rests && !isPaused && progress.status === 'running' && work.waiting.length > 0) {
    const awaited = work.waiting.map(({ kind, id }) => {
      const gate = progress.gates.find(({ phase, status }) => status === 'open' && phase === id)
      return gate ? { kind: 'gate', id: gate.id } : { kind, id }
    })
    const stands = await restRun(deps.pool, { run: runId, epoch: executionEpoch, seq, for: awaited })
    if (!stands) return MOVED
  }
  return {
    do: 'work',
    is: isPaused ? 'paused' : rests ? 'waiting' : 'running',
    sessions: work.sessions.slice(0, Math.max(0, MOST_SESSIONS - busy.length)),
    stop: [...work.stop],
    opened: at.opened,
    ...(at.total === undefined ? {} : { total: at.total }),
    ...(work.afterMs === undefined ? {} : { afterMs: work.afterMs }),
  }
}

/** Of those that are passed over when they fail there may be thousands; not so when somebody would not raise a budget. */
async function openIn({ deps, progress, node, at }: Step): Promise<PhaseProgress[]> {
  const open = await openPhasesIn(deps.pool, progress.runId, at.position, passedAtOnce(node))
  const refused = progress.gates.flatMap(({ isBudget, status, phase }) =>
    isBudget && status === 'rejected' && !open.some(({ id }) => id === phase) ? [phase] : [],
  )
  if (refused.length === 0) return open
  const failed = await phasesById(deps.pool, progress.runId, refused)
  return [...open, ...failed.filter((row) => row.status === 'failed' && isInside(row, at))]
}

/** Names of phases inside a phase whose first failure is passed over. */
const passedAtOnce = (node: PhaseNode): string[] =>
  node.lists
    .flat()
    .flatMap((inner) => [
      ...(inner.phase.onError === 'continue' && inner.phase.retry === undefined ? [inner.name] : []),
      ...passedAtOnce(inner),
    ])

/** A gate inside was rejected, and its template ends the run there. */
export function endsWithin({ progress, definition, node }: Step): boolean {
  return progress.gates.some(({ phase, status, onReject }) => {
    const gate =
      status === 'rejected' && onReject === 'end' ? nodeNamed(definition, nameIn(phase)) : undefined
    return gate !== undefined && (gate === node || around(gate)[0] === node)
  })
}

/** Pause shows at once by its command; that nothing runs any more is said here. False: it goes on by now. */
export const sayPaused = ({ deps, progress }: Step): Promise<boolean> =>
  restPausedRun(deps.pool, {
    run: progress.runId,
    epoch: progress.executionEpoch,
    commands: progress.commands,
  })

interface Sight {
  /** Phases inside the step at the top that are not over, or failed, at every depth. */
  open: readonly PhaseProgress[]
  /** Sessions under way. */
  busy: readonly string[]
}

/** Looks at all groups of a phase, then at the phase itself. */
async function look(step: Step, sight: Sight): Promise<Work> {
  const work = new Work()
  const left = timeLeft(step)
  if (left !== undefined && left <= 0) return await closeInside(step, sight, timeoutError(step).record)
  work.due(left)
  let active = 0
  for (const rows of groupsOf(step, sight.open).values()) {
    const end = await lookAtGroup(step, rows, sight, work)
    if (end === 'active') active += 1
    else if (end !== 'done' && !passesOver(step))
      return await closeInside(step, sight, {
        kind: 'INTERNAL',
        code: 'phase_failed',
        ...end.error,
        message: `Phase ${end.id} failed: ${end.error?.message ?? 'it did not say why.'}`,
      })
  }
  if (step.progress.control !== 'paused') await goOn(step, active, sight, work)
  return work
}

/** In `parallel` a branch may fail alone. */
const passesOver = ({ phase }: Step): boolean => 'parallel' in phase && phase.parallel.onError === 'continue'

/** What is open directly inside a phase, by group, in order. */
function groupsOf({ at }: Step, open: readonly PhaseProgress[]): Map<number, PhaseProgress[]> {
  const depth = at.position.length
  const groups = new Map<number, PhaseProgress[]>()
  for (const row of open) {
    const { position } = row
    if (position.length !== depth + LEVEL || position[depth] !== at.generation || !isInside(row, at)) continue
    const group = position[depth + 1] ?? 0
    groups.set(group, [...(groups.get(group) ?? []), row])
  }
  return groups
}

/** The first phase of a group that is not done decides; all done, the group is. */
async function lookAtGroup(
  outer: Step,
  rows: readonly PhaseProgress[],
  sight: Sight,
  work: Work,
): Promise<'done' | 'active' | PhaseProgress> {
  for (const at of rows) {
    const node = nodeNamed(outer.definition, nameIn(at.id))
    if (!node) throw new Error(`the definition has no phase ${at.id}`)
    const step: Step = { ...outer, node, phase: node.phase, at }
    if (at.status === 'failed') {
      const again = retryLine(step)
      if (again) {
        work.lines.push(again)
        return 'active'
      }
      if (isPassedOver(step)) continue
      return at
    }
    if (node.lists.length > 0 && at.status === 'running') work.add(await look(step, sight))
    // A session under way goes on; what it comes to is in the log once it has ended.
    else if (!sight.busy.includes(sessionKey({ phase: at.id, attempt: at.attempt }))) {
      const move = await moveOn(step)
      work.take(at, move)
      // What comes after a skipped phase need not wait for the log, unless it asks what became of it.
      if (isSkip(move) && !rows.some(({ id }) => speaksOfPhases(outer, id))) continue
    }
    return 'active'
  }
  return 'done'
}

const isSkip = (move: Move): boolean =>
  move !== MOVED && 'lines' in move && move.lines.every(({ type }) => type === 'phase.skipped')

function speaksOfPhases({ definition }: Step, id: string): boolean {
  return JSON.stringify(nodeNamed(definition, nameIn(id))?.phase).includes('phases')
}

/** Opens the next groups, or ends the phase. */
async function goOn(step: Step, active: number, sight: Sight, work: Work): Promise<void> {
  const { phase, at } = step
  if ('map' in phase) {
    const total = at.total ?? 0
    const wanted = Math.min(at.opened + (phase.map.concurrency ?? CONCURRENCY) - active, total)
    if (wanted > at.opened) work.lines.push(expansion(step, at.opened, wanted))
    else if (active === 0) await join(step, sight, work)
  } else if (active > 0) return
  else if ('cycle' in phase) await nextIteration(step, phase.cycle.until, sight, work)
  else await join(step, sight, work)
}

/** Ends a phase whose groups are all done, with the files of all of them; it fails where these do not go together. */
async function join(step: Step, sight: Sight, work: Work): Promise<void> {
  try {
    work.lines.push(...(await joinLines(step)), event(step, 'phase.completed', 'end', {}))
  } catch (error) {
    if (!(error instanceof DevflowError) || error.kind === 'UNAVAILABLE') throw error
    work.add(await closeInside(step, sight, error.record))
  }
}

/** After an iteration: is the cycle done, may it go on, or has it gone on too often? */
async function nextIteration(
  step: Step,
  until: string | boolean | undefined,
  sight: Sight,
  work: Work,
): Promise<void> {
  const { deps, progress, definition, node, at } = step
  // What has just been skipped is not in the log yet, for a condition to see.
  if (work.lines.length > 0 && /phases|last/.test(String(until))) return
  const view = viewInside({ pool: deps.pool, progress, definition }, node, at, at.opened)
  let isDone = false
  try {
    isDone = until !== undefined && isTrue(until, await scopeOf(view, [until], { roundIsOver: true }))
  } catch (error) {
    if (!(error instanceof DevflowError)) throw error
    return work.add(await closeInside(step, sight, error.record))
  }
  const isLast = at.opened >= (at.total ?? 0)
  if (isDone || (isLast && until === undefined))
    work.lines.push(event(step, 'phase.completed', 'end', { iterations: at.opened }))
  else if (isLast) {
    const message = `Cycle ${at.id} did not come to its end within ${at.total} iterations.`
    work.add(await closeInside(step, sight, { kind: 'CONFLICT', code: 'cycle_exhausted', message }))
  } else work.lines.push(expansion(step, at.opened, at.opened + 1))
}
