import { DevflowError } from '@devflow/contracts'
import { type EventLine, putBlob } from '@devflow/db'
import { evaluateValue, instanceId, positionIn } from '@devflow/definition'
import { scopeOf } from '../scope/index.ts'
import { event, type Step, viewFrom } from './step.ts'

/** Items a map may go over. */
const MOST_ITEMS = 100_000
/** Items of a map at a time, and iterations of a cycle, unless the template says. */
export const CONCURRENCY = 10
const MOST_ITERATIONS = 100
/** Phases put on record at once. */
const MOST_ROWS = 200

/**
 * What opens a phase that holds others: what it goes over is fixed here, in the log. One that a person had retried
 * keeps what is inside as it stands.
 */
export async function openInside(step: Step): Promise<EventLine[]> {
  const { phase, at, deps, progress } = step
  const started = (data: Record<string, unknown>) =>
    event(step, 'phase.started', 'start', { kind: at.kind, ...data })
  // A cycle that had gone on too often may do so as often again.
  if ('cycle' in phase && at.opened >= (at.total ?? Number.POSITIVE_INFINITY))
    return [started({ total: at.opened + (phase.cycle.max ?? MOST_ITERATIONS) })]
  if (at.opened > 0) return [started({})]
  if ('parallel' in phase) {
    const total = phase.parallel.branches.length
    return [started({ total }), expansion(step, 0, total)]
  }
  if ('cycle' in phase) return [started({ total: phase.cycle.max ?? MOST_ITERATIONS }), expansion(step, 1, 1)]
  if ('map' in phase) {
    const { over, concurrency = CONCURRENCY } = phase.map
    const items = evaluateValue(over, await scopeOf(viewFrom(step), [over]))
    if (!Array.isArray(items) || items.length > MOST_ITEMS) {
      const found = Array.isArray(items) ? `${items.length} items` : `a ${typeof items}`
      const message = `map.over: expected a list of at most ${MOST_ITEMS} items, got ${found}`
      throw new DevflowError('INVALID', 'invalid_items', message)
    }
    const total = items.length
    const sha256 = await putBlob(deps.pool, progress.runId, JSON.stringify(deps.scrub(items)))
    const lines = [started({ total, items: sha256 })]
    return total === 0 ? lines : [...lines, expansion(step, 0, Math.min(total, concurrency))]
  }
  throw new DevflowError('INVALID', 'unsupported_phase', `This build does not run phases of kind ${at.kind}.`)
}

/**
 * Puts the next groups of a phase on record: their phases, as pending. `from` and `to`: branches and items from 0, up to
 * but without `to`; of a cycle the one iteration.
 */
export function expansion(step: Step, from: number, wanted: number): EventLine {
  const { node, at } = step
  const isCycle = node.kind === 'cycle'
  const room = Math.max(1, Math.floor(MOST_ROWS / (node.lists[0]?.length ?? 1)))
  const to = node.kind === 'map' ? Math.min(wanted, from + room) : wanted
  const groups = isCycle ? [to] : Array.from({ length: to - from }, (_, nth) => from + nth)
  const phases = groups.flatMap((group) =>
    (node.lists[node.kind === 'parallel' ? group : 0] ?? []).map((inner) => {
      const position = positionIn(at.position, at.generation, group, inner)
      return {
        id: instanceId(inner, position),
        kind: inner.kind,
        position,
        ...(inner.phase.onError === 'continue' ? { continues: true } : {}),
      }
    }),
  )
  return event(step, 'phase.expanded', `expanded/${to}`, { from, to, phases })
}
