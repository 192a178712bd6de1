import type { Running } from './running.ts'

/** From where expressions look: the phases around, the outermost first, each with the item or iteration it is in. */
export interface Place {
  around: { running: Running; repeats: boolean; generation: number; group: number }[]
  /** Phases that have a name here, the innermost list first. */
  named: Map<string, Running>[]
  locals: Record<string, unknown>
}

/** What the id of a phase has after its name. */
export function marks({ around }: Place): string {
  const isAnew = around.some(({ generation }) => generation > 1)
  return around
    .map(({ running: { step }, repeats, generation, group }) => {
      const again = isAnew && repeats ? `#${generation}` : ''
      if (step.kind === 'map') return `${again}[${group}]`
      return step.kind === 'cycle' ? `${again}#${group}` : again
    })
    .join('')
}

/** What the name of an artifact has after it: the items it was made for. */
export function items({ around }: Place, depth = Number.POSITIVE_INFINITY): string {
  return around
    .filter(({ running }) => running.step.kind === 'map')
    .slice(0, depth)
    .map(({ group }) => `[${group}]`)
    .join('')
}
