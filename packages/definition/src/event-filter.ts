import { DevflowError, type TopicEvent } from '@devflow/contracts'
import { type ASTNode, serialize } from '@marcbachmann/cel-js'
import { checkExpression, evaluate, type Scope } from './cel.ts'
import { isTrue, partsOf } from './interpolation.ts'

/** What of an event can be looked for with an index. */
const FIELDS = ['topic', 'id', 'data']

/**
 * What an event must hold for a wait's `match` to be true, as JSON that it contains: from the equations of `match`
 * between a field of `event` and what the run knows already. So most events are told from those meant without waking the
 * run. Undefined where there are none; `match` itself has the last word.
 */
export function eventFilter(match: string, scope: Scope): Record<string, unknown> | undefined {
  const [only] = partsOf(match.trim())
  if (!only || !('expression' in only)) return undefined
  const checked = checkExpression(only.expression, ['event', ...Object.keys(scope.locals ?? {})])
  if ('error' in checked) return undefined
  const filter: Record<string, unknown> = {}
  for (const [path, side] of equationsOf(checked.ast)) {
    try {
      place(filter, path, evaluate(serialize(side), scope))
    } catch (error) {
      // It may be guarded by what stands beside it: then `match` will tell.
      if (!(error instanceof DevflowError)) throw error
    }
  }
  return Object.keys(filter).length === 0 ? undefined : filter
}

/** Whether a `match` holds for an event. Where it fails, as on a field that an event does not have, the event is not meant. */
export function eventMatches(match: string, scope: Scope, event: TopicEvent): boolean {
  try {
    return isTrue(match, { ...scope, locals: { ...scope.locals, event } })
  } catch (error) {
    if (error instanceof DevflowError && error.code === 'expression_failed') return false
    throw error
  }
}

/** The equations that must all hold, each with the path in the event. */
function equationsOf(node: ASTNode): [path: string[], side: ASTNode][] {
  if (node.op === '&&') return [...equationsOf(node.args[0]), ...equationsOf(node.args[1])]
  if (node.op !== '==') return []
  const [left, right] = node.args
  for (const [field, side] of [
    [left, right],
    [right, left],
  ] as const) {
    const path = pathInEvent(field)
    if (path && FIELDS.includes(path[0] ?? '') && !names(side, 'event')) return [[path, side]]
  }
  return []
}

/** `event.data.order` → `['data', 'order']`. */
function pathInEvent(node: ASTNode): string[] | undefined {
  if (node.op === 'id') return node.args === 'event' ? [] : undefined
  if (node.op === '.') {
    const inner = pathInEvent(node.args[0])
    return inner && [...inner, node.args[1]]
  }
  if (node.op === '[]' && node.args[1].op === 'value' && typeof node.args[1].args === 'string') {
    const inner = pathInEvent(node.args[0])
    return inner && [...inner, node.args[1].args]
  }
  return undefined
}

/** Whether a name occurs anywhere below a node; a name that a macro binds counts as well, which is on the safe side. */
function names(node: unknown, name: string): boolean {
  if (Array.isArray(node)) return node.some((child) => names(child, name))
  if (node === null || typeof node !== 'object' || !('op' in node) || !('args' in node)) return false
  if (node.op === 'id') return node.args === name
  return names(node.args, name)
}

function place(filter: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [field = '', ...rest] = path
  if (rest.length === 0) {
    // Two equations about one field: one is enough, `match` holds both.
    filter[field] ??= value
    return
  }
  filter[field] ??= {}
  const inner = filter[field]
  if (typeof inner === 'object' && inner !== null && !Array.isArray(inner))
    place(inner as Record<string, unknown>, rest, value)
}
