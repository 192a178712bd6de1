import type { Tree } from '../workspace/index.ts'

/** The files of a session, and how they are kept. */
export interface Files {
  tree: Tree
  /** The commit the run pinned. */
  base: string
  /** Lines of work it builds on, its own first. */
  lines: readonly string[]
  /** Bundles it took to restore the head. */
  links: number
}
