import type { JsonSchema, TemplateEntry } from '@devflow/contracts'
import type { Names } from './expression-names.ts'
import {
  type ArtifactSchemas,
  type FunctionOutputs,
  itemSchema,
  type KnownSchemas,
  localsIn,
  outputSchema,
} from './output-schemas.ts'
import { around, type PhaseNode, treeOf } from './tree.ts'

/** A phase, where it stands in its template, and what its expressions can name. */
export interface Place {
  node: PhaseNode
  path: PropertyKey[]
  names: Names
  /** What can be named after one round of what is inside: of a cycle's `until`. */
  after: Names
  /** What can be named once the phase itself is done: of its `compensate`. */
  done: Names
}

/** All phases of a template, from top to bottom, and what its `output` can name. */
export function placesOf(
  template: TemplateEntry,
  schemas: ArtifactSchemas,
  outputs: FunctionOutputs = new Map(),
): { places: Place[]; atEnd: Names } {
  const { roots } = treeOf(template.phases)
  const places: Place[] = []
  const all: PhaseNode[] = []
  const known: Known = { artifacts: schemas, functions: outputs, items: new Map(), outputs: new Map() }
  const namesFor = (inside: readonly PhaseNode[], ready: ReadonlySet<PhaseNode>) =>
    namesAt(template, known, all, inside, ready)

  const gather = (list: readonly PhaseNode[]): void => {
    for (const node of list) {
      all.push(node)
      known.outputs.set(node, outputSchema(node, known))
      for (const inner of node.lists) gather(inner)
    }
  }
  gather(roots)
  const visit = (
    list: readonly PhaseNode[],
    path: readonly PropertyKey[],
    before: ReadonlySet<PhaseNode>,
  ): Set<PhaseNode> => {
    const ready = new Set(before)
    for (const [at, node] of list.entries()) {
      const here = [...path, at]
      const outer = around(node)
      const place: Place = {
        node,
        path: here,
        names: namesFor(outer, ready),
        after: namesFor(outer, ready),
        done: namesFor(outer, ready),
      }
      places.push(place)
      if ('map' in node.phase) known.items.set(node, itemSchema(node.phase.map, place.names))
      const inside = new Set(ready)
      for (const [branch, inner] of node.lists.entries()) {
        const way = node.kind === 'parallel' ? ['parallel', 'branches', branch] : [node.kind, 'phases']
        for (const done of visit(inner, [...here, ...way], ready)) inside.add(done)
      }
      if (node.kind === 'cycle') place.after = namesFor([...outer, node], inside)
      for (const done of inside) ready.add(done)
      ready.add(node)
      place.done = namesFor(outer, ready)
    }
    return ready
  }
  const ready = visit(roots, ['phases'], new Set())
  return { places, atEnd: namesFor([], ready) }
}

interface Known extends KnownSchemas {
  /** Of maps, what they go over; of all phases, what they come to. */
  items: Map<PhaseNode, JsonSchema>
  outputs: Map<PhaseNode, JsonSchema>
}

/** What expressions can name: `inside` are the phases around them, `ready` those that are over by then. */
function namesAt(
  template: TemplateEntry,
  known: Known,
  all: readonly PhaseNode[],
  inside: readonly PhaseNode[],
  ready: ReadonlySet<PhaseNode>,
): Names {
  const locals = new Map<string, JsonSchema>()
  // From the outermost: of two maps around it an expression sees the item of the inner one.
  for (const node of inside)
    for (const [name, schema] of localsIn(node, known, known.items.get(node) ?? {})) locals.set(name, schema)
  const artifacts = new Map(
    Object.keys(template.artifacts ?? {}).map((name) => [
      name,
      { schema: known.artifacts.get(name) ?? {}, ready: false, within: undefined as string | undefined },
    ]),
  )
  const phases = new Map<string, { output: JsonSchema; ready: boolean; within: string | undefined }>()
  for (const node of all) {
    const produced = producedBy(node)
    const output = known.outputs.get(node) ?? {}
    phases.set(node.name, { output, ready: ready.has(node), within: outside(node, inside, ['map', 'cycle']) })
    const artifact = produced === undefined ? undefined : artifacts.get(produced)
    if (!artifact || !ready.has(node)) continue
    artifact.ready = true
    artifact.within = outside(node, inside, ['map'])
  }
  return { input: template.input ?? {}, artifacts, phases, locals }
}

/** The outermost repeating phase around a node that is not around us: from here it is many, and none of them. */
function outside(
  node: PhaseNode,
  inside: readonly PhaseNode[],
  kinds: readonly string[],
): string | undefined {
  return around(node).find((outer) => kinds.includes(outer.kind) && !inside.includes(outer))?.name
}

export function producedBy({ phase }: PhaseNode): string | undefined {
  return 'agent' in phase ? phase.agent.produces : undefined
}
