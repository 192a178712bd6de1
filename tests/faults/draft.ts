import type { Step, Words } from './case.ts'

/** A number that will be an expression: which of the names there are, and what it is compared with. */
export interface Choice {
  at: number
  than: number
  isNot: boolean
}

export interface Drawn extends Words {
  expression: Choice
  artifact: number
  phase: number
}

/** A phase as it is drawn: without a name, and with numbers where it speaks of others. */
export type DrawnStep = Step<Drawn>
