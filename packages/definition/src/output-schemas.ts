import type { JsonSchema, MapPhase } from '@devflow/contracts'
import { checkExpression } from './cel.ts'
import { type Names, schemaAlong } from './expression-names.ts'
import { schemaOfNode } from './expression-types.ts'
import { onlyExpression } from './one-expression.ts'
import { orNull } from './schema-at.ts'
import { COUNT, schemaOfValues } from './schema-types.ts'
import type { PhaseNode } from './tree.ts'

/** A template's artifacts with the schemas they name. */
export type ArtifactSchemas = ReadonlyMap<string, JsonSchema>

/** What functions answer, by the name phases call them by. */
export type FunctionOutputs = ReadonlyMap<string, JsonSchema>

export interface KnownSchemas {
  artifacts: ArtifactSchemas
  functions: FunctionOutputs
}

/** What a phase comes to when it is completed; `{}` where that is not known. */
export function outputSchema(node: PhaseNode, known: KnownSchemas): JsonSchema {
  const { phase } = node
  if ('function' in phase) return known.functions.get(phase.function.name) ?? {}
  if ('agent' in phase) {
    const { produces } = phase.agent
    if (produces === undefined) return { type: 'object', properties: { text: { type: 'string' } } }
    return known.artifacts.get(produces) ?? {}
  }
  if ('gate' in phase) return DECIDED
  const groups = node.lists.map((list) => groupSchema(list, known))
  if ('parallel' in phase) return { type: 'array', prefixItems: groups, items: false }
  const [group = {}] = groups
  if ('map' in phase) return { type: 'array', items: group }
  return 'cycle' in phase ? group : {}
}

const text: JsonSchema = { type: 'string' }

/** What a gate comes to. */
const DECIDED: JsonSchema = {
  type: 'object',
  properties: {
    status: text,
    decisions: {
      type: 'array',
      items: { type: 'object', properties: { actor: text, decision: text, comment: orNull(text) } },
    },
  },
}

/** What a branch, an item, an iteration comes to: to its last phase that was not skipped, and to null when that failed. */
function groupSchema(list: readonly PhaseNode[], known: KnownSchemas): JsonSchema {
  const surely = list.findLastIndex(({ phase }) => phase.when === undefined)
  const all = list.slice(Math.max(surely, 0)).map((node) => outputSchema(node, known))
  const [first = {}] = all
  return all.every((schema) => JSON.stringify(schema) === JSON.stringify(first)) ? orNull(first) : {}
}

/** What a map or a cycle names inside it. */
export function localsIn(
  node: PhaseNode,
  known: KnownSchemas,
  item: JsonSchema,
): [name: string, schema: JsonSchema][] {
  const { phase } = node
  if ('cycle' in phase)
    return [
      ['iteration', COUNT],
      ['last', outputSchema(node, known)],
    ]
  if (!('map' in phase)) return []
  const { as } = phase.map
  return [['item', item], ['index', COUNT], ...(as === undefined ? [] : [[as, item] as [string, JsonSchema]])]
}

/** The schema of what a map goes over, item by item. */
export function itemSchema({ over }: MapPhase, names: Names): JsonSchema {
  if (typeof over !== 'string') return schemaOfValues(over)
  // What cannot be read is reported where expressions are checked.
  const expression = onlyExpression(over)
  if (expression === undefined) return {}
  const checked = checkExpression(expression, names.locals.keys())
  if ('error' in checked) return {}
  const list = schemaOfNode(checked.ast, names)
  return (list && schemaAlong({ ...list, type: 'array' }, [undefined])) ?? {}
}
