import type { ErrorRecord, Phase } from '@devflow/contracts'
import { DevflowError, durationMs } from '@devflow/contracts'
import { type EventLine, expireGate, remindGate } from '@devflow/db'
import { isTrue } from '@devflow/definition'
import { scopeOf } from '../scope/index.ts'
import { afterChild, startChildRun } from './child-run.ts'
import { openGate } from './open-gate.ts'
import { openInside } from './open-inside.ts'
import { openWait, takeSignal } from './open-wait.ts'
import { event, MOVED, type Move, type Step, viewFrom } from './step.ts'
import { takeEvent } from './take-event.ts'
import { timeLeft, timeoutError } from './time-left.ts'

/** What a phase that is not over comes to next; one that holds others and runs is `inside`'s to say. */
export async function moveOn(step: Step): Promise<Move> {
  const { progress, phase, at } = step
  if ('workflow' in phase && at.status === 'waiting' && at.child !== undefined)
    return await afterChild(step, at.child)
  if (at.status === 'waiting') return await afterWaiting(step)
  if (progress.control === 'paused') return { do: 'wait', why: 'paused' }
  if (at.status === 'running') {
    // An agent's or a function's phase under way: its activity finds what is done. Anything else was cut off while opening.
    if (isSession(phase)) return { do: 'session', attempt: at.attempt }
    return 'workflow' in phase && at.child !== undefined ? await afterChild(step, at.child) : await open(step)
  }
  if (at.retryInMs !== undefined && at.retryInMs > 0)
    return { do: 'wait', why: 'backoff', afterMs: at.retryInMs }
  return await begin(step)
}

async function begin(step: Step): Promise<Move> {
  const { phase, at } = step
  // Asked once a round, not by a phase's own `retry`.
  if (phase.when !== undefined && at.attempt === at.roundAttempt) {
    try {
      const holds = isTrue(phase.when, await scopeOf(viewFrom(step), [phase.when]))
      if (!holds) return { lines: [event(step, 'phase.skipped', 'skipped', { when: phase.when })] }
    } catch (error) {
      return { lines: failureLines(step, error) }
    }
  }
  if (isSession(phase)) return { do: 'session', attempt: at.attempt }
  return await open(step)
}

/** It has an activity of its own. */
const isSession = (phase: Phase): boolean => 'agent' in phase || 'function' in phase

async function open(step: Step): Promise<Move> {
  const { phase } = step
  try {
    if ('gate' in phase) return { lines: opening(step, await openGate(step, phase.gate)) }
    if ('wait' in phase) return { lines: opening(step, await openWait(step, phase.wait)) }
    if ('workflow' in phase) return await startChildRun(step, phase.workflow)
    return { lines: await openInside(step) }
  } catch (error) {
    return { lines: failureLines(step, error) }
  }
}

/** At the top nothing runs beside what waits, so the run itself waits; inside others `enter` sees when nothing runs. */
function opening(step: Step, lines: EventLine[]): EventLine[] {
  const { at } = step
  const start = event(step, 'phase.started', 'start', { kind: at.kind })
  if (step.node.parent) return [start, ...lines]
  const waiting: EventLine = {
    type: 'run.waiting',
    key: `${at.id}/${at.attempt}/waiting`,
    data: { for: [{ kind: at.kind, id: at.id }] },
  }
  return [start, ...lines, waiting]
}

async function afterWaiting(step: Step): Promise<Move> {
  const { deps, progress, phase, at } = step
  const due = at.deadlineInMs !== undefined && at.deadlineInMs <= 0
  const left = timeLeft(step)
  if ('gate' in phase) {
    if (due) {
      await expireGate(deps.pool, progress.runId, at.id, progress.executionEpoch)
      return MOVED
    }
    const open = gateAt(step)
    if (open?.remindInMs !== undefined && open.remindInMs <= 0) {
      await remindGate(deps.pool, progress.runId, open.id, progress.executionEpoch)
      return MOVED
    }
  } else if ('wait' in phase) {
    const came = 'event' in phase.wait ? await takeEvent(step, phase.wait) : takeSignal(step, phase.wait)
    if (came) return { lines: came }
    if (due && 'signal' in phase.wait) {
      const message = `The signal ${phase.wait.signal} did not come within ${phase.timeout}.`
      return { lines: failureLines(step, new DevflowError('TIMEOUT', 'phase_timeout', message)) }
    }
    if (due)
      return {
        lines: [
          event(step, 'wait.closed', 'closed', { reason: 'time' }),
          event(step, 'phase.completed', 'end', {}),
        ],
      }
  }
  if (left !== undefined && left <= 0) return { lines: timeoutLines(step) }
  const next = [at.deadlineInMs, left, gateAt(step)?.remindInMs].filter((ms) => ms !== undefined)
  const afterMs = next.length > 0 ? { afterMs: Math.min(...next) } : {}
  return { do: 'wait', why: 'gate' in phase ? 'gate' : 'wait', ...afterMs }
}

/** The open gate of a gate phase. */
const gateAt = ({ progress, at }: Step) =>
  progress.gates.find(({ phase, status, isBudget }) => phase === at.id && status === 'open' && !isBudget)

/** The phase's own time is up while it waits. */
function timeoutLines(step: Step): EventLine[] {
  const { phase, at } = step
  const closed =
    'gate' in phase
      ? event(step, 'gate.closed', 'closed', { gate: at.id, status: 'expired', by: 'timeout' })
      : event(step, 'wait.closed', 'closed', { reason: 'timeout' })
  return [closed, event(step, 'phase.failed', 'end', { error: timeoutError(step).record })]
}

/** The line that gives a failed phase its next attempt; undefined when it has none left, or would fail the same way. */
export function retryLine({ phase, node, at }: Step): EventLine | undefined {
  const tried = at.attempt - at.roundAttempt + 1
  if (!phase.retry || tried >= phase.retry.maxAttempts || !mayPass(at.error)) return undefined
  // Doubling from the phase's own back-off, at most a day.
  const seconds = Math.min((durationMs(phase.retry.backoff ?? 'PT1S') / 1000) * 2 ** (tried - 1), 86_400)
  const attempt = at.attempt + 1
  return {
    type: 'phase.retried',
    key: `${at.id}/${attempt}/retried`,
    phase: at.id,
    attempt,
    // What holds others begins with all of them anew.
    data: { after: `PT${seconds}S`, ...(node.lists.length > 0 ? { generation: attempt } : {}) },
  }
}

/**
 * A failed phase that its template passes over. Not one whose budget somebody would not raise: what comes after it would
 * only ask again.
 */
export function isPassedOver({ progress, phase, at }: Step): boolean {
  const refused = progress.gates.some(
    ({ isBudget, phase: of, attempt, status }) =>
      isBudget && status === 'rejected' && of === at.id && attempt === at.attempt,
  )
  return phase.onError === 'continue' && !refused
}

const TOO_DEAR = ['budget_exceeded', 'token_budget_exceeded']

/** Invalid is what the model made of it: another attempt may do better. */
const MADE_BY_MODEL = ['artifact_invalid', 'turn_limit']

/** Whether another attempt can end otherwise: what is wrong in the template, or too dear, stays so. */
function mayPass(
  { kind, code }: Pick<ErrorRecord, 'kind' | 'code'> = { kind: 'UNKNOWN', code: '' },
): boolean {
  return MADE_BY_MODEL.includes(code) || (kind !== 'INVALID' && !TOO_DEAR.includes(code))
}

function failureLines(step: Step, error: unknown): EventLine[] {
  if (!(error instanceof DevflowError)) throw error
  return [
    event(step, 'phase.started', 'start', { kind: step.at.kind }),
    event(step, 'phase.failed', 'end', { error: error.record }),
  ]
}
