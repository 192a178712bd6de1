import type { Message } from '../models/model.ts'
import type { Calling } from './fallback.ts'

/** What is sent to a model, and where its parts are. */
export interface Conversation {
  messages: Message[]
  /** How many of them are the prompt. */
  prompt: number
  /** Where turns begin among them, those that are not summarised. */
  starts: { turn: number; at: number }[]
  /** How many tokens the provider counted for the first so many of them. */
  counted: { tokens: number; messages: number } | undefined
}

/** What a session counts over all its turns, those that are summarised too. */
export interface Tally {
  tokens: number
  /** Repair turns asked for so far. */
  repairs: number
  /** Calls denied because their tool was used up. */
  overruns: number
  /** Tool → calls of it that were not denied. */
  toolUse: Map<string, number>
  calling: Calling
  /** The artifact's file was written in a turn that is summarised by now. */
  wroteFile: boolean
}
