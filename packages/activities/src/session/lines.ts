import { around, type PhaseNode, type Position } from '@devflow/definition'

/** The line of work of a run that no phases inside others have forked. */
export const MAIN_LINE = 'main'

/** Numbers of a position for each phase around another: its place, its generation, the group inside. */
const LEVEL = 3

/**
 * The lines of work a phase builds on, its own first: of phases that run at once, each branch of `parallel` and each item
 * of `map` has files of its own, from the fork on. Iterations of a cycle follow one another on one line.
 */
export function linesOf(node: PhaseNode, position: Position): string[] {
  const forks = around(node).flatMap(({ kind }, level) =>
    kind === 'parallel' || kind === 'map' ? [position.slice(0, (level + 1) * LEVEL).join('.')] : [],
  )
  return [...forks.reverse(), MAIN_LINE]
}

/** The line of one group inside a phase that forks. */
export const lineOfGroup = (position: Position, generation: number, group: number): string =>
  [...position, generation, group].join('.')
