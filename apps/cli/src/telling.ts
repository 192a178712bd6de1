import type { Command } from 'commander'
import type { Words } from './messages/words.ts'

/** How failures are told. */
export interface Telling {
  words: Words
  json: boolean
  /** For errors that nobody expected: where they come from. */
  tellsOrigins: boolean
}

export interface Circumstances extends Telling {
  /** The command whose work it was; without one none had begun. */
  begun?: Command
}
