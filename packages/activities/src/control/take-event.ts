import type { WaitPhase } from '@devflow/contracts'
import { type EventLine, eventsForWait, lookedUpTo, type Progress } from '@devflow/db'
import { eventFilter, eventMatches } from '@devflow/definition'
import { scopeOf } from '../scope/index.ts'
import { event, type Step, viewFrom } from './step.ts'

type EventWait = Extract<WaitPhase, { event: string }>

/** Events that waits side by side have taken in this look at the log, and that are not written yet. */
const taking = new WeakMap<Progress, Set<number>>()

/**
 * What opens a wait for an event from outside. The filter is what can be told of the event now: whoever publishes wakes
 * this run only for events that hold it.
 */
export async function openEventWait(step: Step, wait: EventWait): Promise<EventLine[]> {
  const { match } = wait
  const filter = match === undefined ? undefined : eventFilter(match, await scopeOf(viewFrom(step), [match]))
  return [event(step, 'wait.opened', 'opened', { event: wait.event, ...(filter ? { filter } : {}) })]
}

/**
 * What closes a wait whose event has come, also one that came since the run was submitted; undefined while none has. Of
 * several the first counts, and an event counts for one wait of a run.
 */
export async function takeEvent(step: Step, { match }: EventWait): Promise<EventLine[] | undefined> {
  const { deps, progress, at } = step
  const place = { run: progress.runId, phase: at.id, attempt: at.attempt }
  const taken = taking.get(progress) ?? new Set()
  taking.set(progress, taken)
  const scope = match === undefined ? undefined : await scopeOf(viewFrom(step), [match])
  for (;;) {
    const events = await eventsForWait(deps.pool, place)
    const found = events.find(
      (each) =>
        !taken.has(each.seq) &&
        (match === undefined || scope === undefined || eventMatches(match, scope, each)),
    )
    if (found) {
      taken.add(found.seq)
      const { seq, topic, id, data } = found
      return [
        event(step, 'wait.closed', 'closed', { reason: 'event', event: topic, eventId: id, eventSeq: seq }),
        event(step, 'phase.completed', 'end', { output: data }),
      ]
    }
    const last = events.at(-1)
    if (!last) return undefined
    await lookedUpTo(deps.pool, place, last.seq)
  }
}
