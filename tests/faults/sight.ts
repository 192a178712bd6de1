import { artifactOf, type Expression, listsOf, type Step, type Template } from './case.ts'
import type { Kept } from './kept.ts'
import { items, type Place } from './place.ts'
import { Ambiguous, Failed } from './running.ts'
import { evaluated, Unseen } from './value.ts'

/** What expressions of a run see from where they stand. */
export class Sight {
  readonly #template: Template
  readonly #input: Record<string, unknown>
  readonly #kept: Kept

  constructor(template: Template, input: Record<string, unknown>, kept: Kept) {
    this.#template = template
    this.#input = input
    this.#kept = kept
  }

  holds(condition: Expression, place: Place): boolean {
    return this.value(condition, place) === true
  }

  /** As it reads in a text. */
  shown(see: Expression | undefined, place: Place): string {
    if (!see) return 'nothing'
    const value = this.value(see, place)
    return typeof value === 'string' ? value : JSON.stringify(value)
  }

  value(expression: Expression, place: Place): unknown {
    try {
      return evaluated(expression, {
        phase: (name, field) => phaseSeen(name, field, place),
        artifact: (name) => this.artifact(name, place),
        local: (name) => (name === 'input' ? this.#input : place.locals[name]),
      })
    } catch (error) {
      if (!(error instanceof Unseen)) throw error
      throw new Failed({ kind: 'INVALID', code: 'expression_failed' })
    }
  }

  /** Inside a map each item has its own. */
  artifact(name: string, place: Place): unknown {
    const depth = mapsAround(name, this.#template.steps, 0) ?? 0
    const found = this.#kept.get(name + items(place, depth))
    if (found?.loose) throw new Ambiguous()
    return found?.content
  }
}

function phaseSeen(name: string, field: string | number | undefined, { named }: Place): unknown {
  const running = named.find((list) => list.has(name))?.get(name)
  if (running?.loose) throw new Ambiguous()
  if (field === 'status') return running?.status ?? 'pending'
  return running?.status === 'completed' ? running.output() : null
}

/** How many maps are around the phase that makes an artifact. */
function mapsAround(artifact: string, steps: readonly Step[], maps: number): number | undefined {
  for (const step of steps) {
    if (artifactOf(step.name) === artifact) return maps
    const inside = listsOf(step).map((list) =>
      mapsAround(artifact, list, step.kind === 'map' ? maps + 1 : maps),
    )
    const depth = inside.find((each) => each !== undefined)
    if (depth !== undefined) return depth
  }
  return undefined
}
