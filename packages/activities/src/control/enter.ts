import type { Directive, ErrorRecord, RunStep } from '@devflow/contracts'
import { DevflowError, durationMs } from '@devflow/contracts'
import { type EventLine, expireGate, readProgress } from '@devflow/db'
import { isTrue } from '@devflow/definition'
import type { Deps } from '../deps.ts'
import { scopeOf } from '../scope.ts'
import { openGate } from './open-gate.ts'
import { openWait, takeSignal } from './open-wait.ts'
import { append, event, MOVED, type Move, type Step } from './step.ts'

/** A step settles in a few moves (expire, close, retry, open); more means that it does not. */
const MOST_MOVES = 12

/** Opens a step, or adopts what the log already says of it (I14), and tells the workflow what to do. */
export async function enter(deps: Deps, { runId, epoch, round, step }: RunStep): Promise<Directive> {
  for (let moves = 0; moves < MOST_MOVES; moves += 1) {
    const progress = await readProgress(deps.pool, runId)
    if (!progress || progress.control === 'over' || progress.executionEpoch !== epoch) return { do: 'leave' }
    // Asked once more after its answer was lost, when somebody had retried the run meanwhile.
    if (progress.attempt !== round) return { do: 'again' }
    if (progress.control === 'canceled') return { do: 'end', outcome: 'canceled' }
    const { definition } = await deps.definitions.get(progress.definitionHash)
    const phase = definition.phases.find(({ id }) => id === step)
    const at = progress.phases.find(({ id }) => id === step)
    if (!phase || !at) throw new DevflowError('INTERNAL', 'unknown_step', `Run ${runId} has no step ${step}.`)
    const move = await moveOn({ deps, progress, definition, phase, at })
    if (move !== MOVED) return move
  }
  throw new DevflowError('INTERNAL', 'step_unsettled', `Step ${step} of run ${runId} does not settle.`)
}

async function moveOn(step: Step): Promise<Move> {
  const { progress, phase, at } = step
  switch (at.status) {
    case 'completed':
    case 'compensated':
      // A gate decided while the run is paused takes effect when it goes on, also where nothing comes after it.
      if (progress.control === 'paused' && (endsRun(step) || isLast(step))) return await restPaused(step)
      return endsRun(step) ? { do: 'end', outcome: 'completed' } : { do: 'next' }
    case 'skipped':
      return { do: 'next', how: 'skipped' }
    case 'canceled':
      return { do: 'end', outcome: 'canceled' }
    case 'failed':
      return await afterFailure(step)
    case 'waiting':
      return await afterWaiting(step)
    case 'running':
      if (progress.control === 'paused') return await restPaused(step)
      // An agent phase under way: its activity finds what is done. Anything else was cut off while opening.
      return 'agent' in phase ? { do: 'session', attempt: at.attempt } : await open(step)
    case 'pending':
      if (progress.control === 'paused') return await restPaused(step)
      if (at.retryInMs !== undefined && at.retryInMs > 0)
        return { do: 'wait', why: 'backoff', afterMs: at.retryInMs }
      return await begin(step)
  }
}

/** Pause shows at once by its command; that nothing runs any more is said here, once a pause. */
async function restPaused(step: Step): Promise<Move> {
  const { progress } = step
  await append(step, [{ type: 'run.paused', key: `command/${progress.commands}/paused` }])
  return { do: 'wait', why: 'paused' }
}

async function begin(step: Step): Promise<Move> {
  const { deps, progress, phase, at } = step
  if (phase.when !== undefined && at.attempt === 1) {
    try {
      const holds = isTrue(phase.when, await scopeOf(deps.pool, progress, [phase.when]))
      if (!holds) return await append(step, [event(step, 'phase.skipped', 'skipped', { when: phase.when })])
    } catch (error) {
      return await failPhase(step, error)
    }
  }
  if ('agent' in phase) return { do: 'session', attempt: at.attempt }
  return await open(step)
}

async function open(step: Step): Promise<Move> {
  try {
    const lines =
      'gate' in step.phase
        ? await openGate(step, step.phase.gate)
        : 'wait' in step.phase
          ? await openWait(step, step.phase.wait)
          : []
    const { phase, at } = step
    const start = event(step, 'phase.started', 'start', { kind: at.kind })
    const waiting: EventLine = {
      type: 'run.waiting',
      key: `${phase.id}/${at.attempt}/waiting`,
      data: { for: [{ kind: at.kind, id: phase.id }] },
    }
    return await append(step, [start, ...lines, waiting])
  } catch (error) {
    return await failPhase(step, error)
  }
}

async function afterWaiting(step: Step): Promise<Move> {
  const { deps, progress, phase, at } = step
  const due = at.deadlineInMs !== undefined && at.deadlineInMs <= 0
  if ('gate' in phase) {
    if (due) {
      await expireGate(deps.pool, progress.runId, phase.id, progress.executionEpoch)
      return MOVED
    }
  } else if ('wait' in phase) {
    const signal = takeSignal(step, phase.wait)
    if (signal) return await append(step, signal)
    if (due && 'signal' in phase.wait) {
      const message = `The signal ${phase.wait.signal} did not come within ${phase.timeout}.`
      return await failPhase(step, new DevflowError('TIMEOUT', 'phase_timeout', message))
    }
    if (due)
      return await append(step, [
        event(step, 'wait.closed', 'closed', { reason: 'time' }),
        event(step, 'phase.completed', 'end', {}),
      ])
  }
  if (progress.control === 'paused') await restPaused(step)
  const afterMs = at.deadlineInMs
  return { do: 'wait', why: 'gate' in phase ? 'gate' : 'wait', ...(afterMs === undefined ? {} : { afterMs }) }
}

async function afterFailure(step: Step): Promise<Move> {
  const { progress, phase, at } = step
  const tried = at.attempt - at.roundAttempt + 1
  if ('agent' in phase && phase.retry && tried < phase.retry.maxAttempts && mayPass(at.error)) {
    // Doubling from the phase's own back-off, at most a day.
    const seconds = Math.min((durationMs(phase.retry.backoff ?? 'PT1S') / 1000) * 2 ** (tried - 1), 86_400)
    const attempt = at.attempt + 1
    const key = `${phase.id}/${attempt}/retried`
    return await append(step, [
      { type: 'phase.retried', key, phase: phase.id, attempt, data: { after: `PT${seconds}S` } },
    ])
  }
  if (phase.onError === 'continue') return { do: 'next', how: 'failed' }
  if (progress.control === 'paused') return await restPaused(step)
  return { do: 'end', outcome: 'failed', phase: phase.id }
}

/** Invalid is what the model made of it: another attempt may do better. */
const MADE_BY_MODEL = ['artifact_invalid', 'turn_limit']

/** Whether another attempt can end otherwise: what is wrong in the template, or too dear, stays so. */
function mayPass(
  { kind, code }: Pick<ErrorRecord, 'kind' | 'code'> = { kind: 'UNKNOWN', code: '' },
): boolean {
  return MADE_BY_MODEL.includes(code) || (kind !== 'INVALID' && code !== 'budget_exceeded')
}

const isLast = ({ definition, phase }: Step): boolean => definition.phases.at(-1)?.id === phase.id

/** A rejected gate may end the run well. */
function endsRun({ progress, phase }: Step): boolean {
  const gate = progress.gates.find(({ id }) => id === phase.id)
  return 'gate' in phase && gate?.status === 'rejected' && gate.onReject === 'end'
}

async function failPhase(step: Step, error: unknown): Promise<Move> {
  if (!(error instanceof DevflowError)) throw error
  const record: ErrorRecord = error.record
  const { at } = step
  return await append(step, [
    event(step, 'phase.started', 'start', { kind: at.kind }),
    event(step, 'phase.failed', 'end', { error: record }),
  ])
}
