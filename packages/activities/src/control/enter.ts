import type { Directive, RunStep } from '@devflow/contracts'
import { DevflowError } from '@devflow/contracts'
import { type PhaseProgress, readProgress } from '@devflow/db'
import type { Deps } from '../deps.ts'
import { nodeNamed } from '../scope/index.ts'
import { endsWithin, inside, sayPaused } from './inside.ts'
import { isPassedOver, moveOn, retryLine } from './move-on.ts'
import { outcomeOf, shownOf } from './shown.ts'
import { append, MOVED, type Move, type Step } from './step.ts'

/** A step settles in a few moves (expire, close, retry, open); more means that it does not. */
const MOST_MOVES = 12
/** How long a step that holds others may go on by itself, in ms, before the workflow hears of it. */
const LONGEST_LOOK_MS = 1_000

/** Opens a step, or adopts what the log already says of it (I14), and tells the workflow what to do. */
export async function enter(
  deps: Deps,
  { runId, epoch, round, step, busy = [] }: RunStep,
): Promise<Directive> {
  const started = performance.now()
  for (let moves = 0; ; moves += 1) {
    const progress = await readProgress(deps.pool, runId)
    if (!progress) return { do: 'leave' }
    const status = outcomeOf(progress)
    if (progress.control === 'over') return { do: 'leave', ...(status ? { status } : {}) }
    if (progress.executionEpoch !== epoch) return { do: 'leave' }
    // Asked once more after its answer was lost, when somebody had retried the run meanwhile.
    if (progress.attempt !== round) return { do: 'again' }
    if (progress.control === 'canceled') return { do: 'end', outcome: 'canceled' }
    const { definition } = await deps.definitions.get(progress.definitionHash)
    const node = nodeNamed(definition, step)
    const at = progress.phases.find(({ id }) => id === step)
    if (!node || !at) throw new DevflowError('INTERNAL', 'unknown_step', `Run ${runId} has no step ${step}.`)
    const here: Step = { deps, progress, definition, node, phase: node.phase, at }
    const earlier = earlierNotOver(here)
    if (earlier !== undefined) return { do: 'back', to: earlier }
    const move = await moveAtTop(here, busy)
    if (move !== MOVED && 'do' in move) return rests(move) ? { ...move, shown: shownOf(progress, at) } : move
    if (move !== MOVED && !(await append(here, move.lines))) return { do: 'leave' }
    if (node.lists.length > 0) {
      if (performance.now() - started > LONGEST_LOOK_MS)
        return { do: 'work', is: 'running', sessions: [], stop: [], more: true }
    } else if (moves >= MOST_MOVES)
      throw new DevflowError('INTERNAL', 'step_unsettled', `Step ${step} of run ${runId} does not settle.`)
  }
}

/** The workflow stays at the step for a while, for people to see. */
const rests = (directive: Directive): boolean =>
  directive.do === 'session' || directive.do === 'wait' || directive.do === 'work'

/**
 * A gate has sent the run back over this step: the first step that is not over, as it is asked for anew, or under way by
 * now where this is asked once more after its answer was lost.
 */
function earlierNotOver(here: Step): string | undefined {
  const { phases } = here.progress
  return phases.slice(0, phases.indexOf(here.at)).find((at) => !isOver(here, at))?.id
}

function isOver(here: Step, at: PhaseProgress): boolean {
  if (at.status !== 'failed') return !['pending', 'running', 'waiting'].includes(at.status)
  const node = nodeNamed(here.definition, at.id)
  if (!node) return true
  const step = { ...here, node, phase: node.phase, at }
  return retryLine(step) === undefined && isPassedOver(step)
}

/** What a step at the top comes to: it decides on the run's end, too. */
async function moveAtTop(step: Step, busy: readonly string[]): Promise<Move> {
  const { progress, node, at } = step
  const isPaused = progress.control === 'paused'
  switch (at.status) {
    case 'completed':
    case 'compensated':
      // A gate decided while the run is paused takes effect when it goes on, also where nothing comes after it.
      if (isPaused && (endsWithin(step) || isLast(step))) return await restPaused(step)
      return endsWithin(step) ? { do: 'end', outcome: 'completed' } : { do: 'next' }
    case 'skipped':
      return { do: 'next', how: 'skipped' }
    case 'canceled':
      return { do: 'end', outcome: 'canceled' }
    case 'failed':
      return await afterFailure(step)
    case 'running':
      if (node.lists.length > 0) return await inside(step, busy)
  }
  const move = await moveOn(step)
  if (isPaused && move !== MOVED && 'do' in move && !(await sayPaused(step))) return MOVED
  return move
}

async function afterFailure(step: Step): Promise<Move> {
  const { progress, at } = step
  const again = retryLine(step)
  if (again) return { lines: [again] }
  if (isPassedOver(step)) return { do: 'next', how: 'failed' }
  if (progress.control === 'paused') return await restPaused(step)
  return { do: 'end', outcome: 'failed', phase: at.id }
}

async function restPaused(step: Step): Promise<Move> {
  return (await sayPaused(step)) ? { do: 'wait', why: 'paused' } : MOVED
}

const isLast = ({ definition, phase }: Step): boolean => definition.phases.at(-1)?.id === phase.id
