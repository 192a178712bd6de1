import { DevflowError, type WaitPhase } from '@devflow/contracts'
import type { EventLine } from '@devflow/db'
import { render } from '@devflow/definition'
import { scopeOf } from '../scope/index.ts'
import { event, type Step, viewFrom } from './step.ts'
import { openEventWait } from './take-event.ts'

/** What opens a wait. A time is fixed here, in the log, so that every timer after it runs to the same instant. */
export async function openWait(step: Step, wait: WaitPhase): Promise<EventLine[]> {
  if ('for' in wait) return [event(step, 'wait.opened', 'opened', { for: wait.for })]
  // The phase's own timeout bounds how long a signal is waited for.
  const { timeout } = step.phase
  if ('signal' in wait)
    return [
      event(step, 'wait.opened', 'opened', { signal: wait.signal, ...(timeout ? { for: timeout } : {}) }),
    ]
  if ('event' in wait) return await openEventWait(step, wait)
  return [event(step, 'wait.opened', 'opened', { until: await instant(step, wait.until) })]
}

async function instant(step: Step, text: string): Promise<string> {
  const written = render(text, await scopeOf(viewFrom(step), [text]))
  const time = new Date(written)
  if (Number.isNaN(time.getTime())) {
    throw new DevflowError(
      'INVALID',
      'invalid_time',
      `The wait's \`until\` is no ISO 8601 time: ${written.slice(0, 100)}`,
    )
  }
  return time.toISOString()
}

/** What closes a wait whose signal has come, also one that came before the wait; undefined while none has. */
export function takeSignal(step: Step, wait: WaitPhase): EventLine[] | undefined {
  if (!('signal' in wait)) return undefined
  const { signals } = step.progress
  const signal = signals.find(({ name }) => name === wait.signal)
  if (!signal) return undefined
  // Waits side by side take one each.
  signals.splice(signals.indexOf(signal), 1)
  return [
    event(step, 'wait.closed', 'closed', { reason: 'signal', signal: signal.name, signalId: signal.id }),
    event(step, 'phase.completed', 'end', { output: signal.data ?? null }),
  ]
}
