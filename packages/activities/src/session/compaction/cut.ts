import type { Message, ToolSpec } from '../../models/model.ts'
import { charactersIn } from '../characters.ts'
import type { Conversation } from '../conversation.ts'

/** A rough count where no tokenizer is at hand. */
const CHARACTERS_PER_TOKEN = 4

/** About how many tokens these are. */
export const tokensIn = (parts: readonly object[]): number =>
  Math.ceil(charactersIn(parts) / CHARACTERS_PER_TOKEN)

/**
 * About how many tokens the next request takes in: what the provider counted for the last one with its answer, and what came
 * since; where it counted less than the text looks like, what that looks like.
 */
export function tokensOf({ messages, counted }: Conversation, tools: readonly ToolSpec[]): number {
  const estimate = tokensIn(messages) + tokensIn(tools)
  return counted ? Math.max(estimate, counted.tokens + tokensIn(messages.slice(counted.messages))) : estimate
}

/** Where the conversation is cut: the first turn that is kept, and where it begins among the messages. */
export interface Cut {
  upToTurn: number
  at: number
}

/** Turns that are kept as they are, if they take no more than `most` tokens; the last one always is. */
export function cutOf({ messages, starts }: Conversation, keep: number, most: number): Cut | undefined {
  const last = starts.slice(-keep)
  const kept = last.find(({ at }, index) => index === last.length - 1 || tokensIn(messages.slice(at)) <= most)
  const before = kept && starts.find(({ turn }) => turn < kept.turn)
  return kept && before ? { upToTurn: kept.turn - 1, at: kept.at } : undefined
}

/** What summarises the turns that are gone, as the model sees it. */
export function summaryMessage(upToTurn: number, summary: string): Message {
  return {
    role: 'user',
    content: `<summary turns="1-${upToTurn}">\n${summary}\n</summary>\nThat is what happened so far, in short: the turns themselves are gone. Go on with the task from here.`,
  }
}
