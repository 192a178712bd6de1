import { z } from 'zod'
import type { Conversation, Tally } from '../conversation.ts'
import { type Cut, summaryMessage } from './cut.ts'

/** What a session counts over all its turns: stands in the event, since turns before it are not read any more. */
const Counts = z.object({
  tokens: z.number(),
  repairs: z.number(),
  overruns: z.number(),
  toolUse: z.record(z.string(), z.number()),
  model: z.string().optional(),
  wroteFile: z.boolean(),
})

/** What `context.compacted` holds. */
export const Compacted = z.object({
  upToTurn: z.number(),
  summary: z.string(),
  tokensBefore: z.number(),
  tokensAfter: z.number(),
  by: z.enum(['model', 'outline']),
  counts: Counts,
})
export type Compacted = z.infer<typeof Compacted>

export function countsOf(transcript: Tally, wroteFile: boolean): Compacted['counts'] {
  const { tokens, repairs, overruns, toolUse, calling } = transcript
  return {
    tokens,
    repairs,
    overruns,
    toolUse: Object.fromEntries(toolUse),
    ...(calling.model === undefined ? {} : { model: calling.model }),
    wroteFile,
  }
}

/** The transcript from here on: the prompt, the summary, the turns that were kept. A new list, measured anew. */
export function compacted(
  transcript: Conversation & Tally,
  { upToTurn, summary }: Pick<Compacted, 'upToTurn' | 'summary'>,
  at: Cut['at'],
): void {
  const { prompt, messages } = transcript
  const head = [...messages.slice(0, prompt), summaryMessage(upToTurn, summary)]
  const kept = transcript.starts.filter(({ turn }) => turn > upToTurn)
  transcript.messages = [...head, ...messages.slice(at)]
  transcript.starts = kept.map((start) => ({ ...start, at: start.at - at + head.length }))
  transcript.counted = undefined
  transcript.calling.failed = 0
}

/** Follows `context.compacted`: turns before the cut may have been read, or not. */
export function followCompaction(transcript: Conversation & Tally, data: unknown): void {
  const given = Compacted.parse(data)
  const first = transcript.starts.find(({ turn }) => turn > given.upToTurn)
  compacted(transcript, given, first?.at ?? transcript.messages.length)
  const { tokens, repairs, overruns, toolUse, model, wroteFile } = given.counts
  Object.assign(transcript, {
    tokens,
    repairs,
    overruns,
    wroteFile,
    toolUse: new Map(Object.entries(toolUse)),
  })
  transcript.calling.model = model
}
