import type { Message } from '../../models/model.ts'
import { fileOf, hasWritten } from '../artifact-form.ts'
import { askModel, failureOf } from '../ask-model.ts'
import type { Answered } from '../call.ts'
import { type DeliveryEnd, FENCED } from '../delivery-end.ts'
import { fail } from '../ends.ts'
import { modelInUse } from '../fallback.ts'
import { eventAt } from '../place.ts'
import { isFenced, type Session } from '../session.ts'
import type { Transcript } from '../transcript.ts'
import { type Compacted, compacted, countsOf } from './apply.ts'
import { type Cut, cutOf, summaryMessage, tokensIn, tokensOf } from './cut.ts'
import { outlineOf } from './outline.ts'

/** The window of a model nobody knows anything of; most have as much. */
const DEFAULT_WINDOW = 128_000
const DEFAULT_COMPACT_AT = 0.7
const DEFAULT_OUTPUT = 4_096

/** The last turns stay as they are. */
const KEPT_TURNS = 4

/** Turns that hold less than this share of the window are not worth a call. */
const LEAST_GAIN = 0.1

/** How often a turn's conversation is made shorter because its provider says so. */
const MOST_SHRINKS = 3

/** A summary is no longer than this share of the window, at three characters a token. */
const LONGEST_SUMMARY = 0.15 * 3
/** What is made without a model's help says less with more words. */
const LONGEST_OUTLINE = 12_000

const SUMMARISE =
  'This conversation has become too long to go on as it is. Write down, in plain text and without calling a tool, what is needed to go on with the task without seeing what was before: what was asked, what was found out, with the exact names of files, lines and figures; what was decided and why; what was changed and what failed; what is left to do. Your last turns will be seen beside it.'

/**
 * A turn's answer. Where the conversation fills the model's context, or its provider says that it is too long, older turns
 * are summarised first: what a turn costs does not grow with the number of turns (I12).
 */
export async function answer(
  session: Session,
  transcript: Transcript,
  turn: number,
  prompt: Message[],
): Promise<Answered | { end: DeliveryEnd }> {
  for (let shrinks = 0; ; ) {
    const window = await windowOf(session, transcript)
    const cut = wantedCut(session, transcript, window, shrinks)
    if (cut) {
      const stopped = await compact(session, transcript, turn, prompt, { cut, window, shrinks })
      if (stopped) return stopped
    }
    const answered = await askModel(session, transcript, turn, prompt, {
      messages: transcript.messages,
      purpose: 'turn',
    })
    if ('fellBack' in answered) continue
    if (!('tooLong' in answered)) return answered
    shrinks += 1
    if (shrinks > MOST_SHRINKS || !wantedCut(session, transcript, window, shrinks))
      return { end: await fail(session, failureOf(answered.tooLong)) }
  }
}

/** What the model in use takes in: its persona's word counts, else what is known of it. */
async function windowOf({ deps, persona }: Session, { calling }: Transcript): Promise<number> {
  return (await deps.prices.windowOf(modelInUse(persona.model, calling))) ?? DEFAULT_WINDOW
}

/** Where the conversation is to be cut, if it is. `shrinks`: how often its provider has said that it is too long. */
function wantedCut(
  { persona, tools }: Session,
  transcript: Transcript,
  window: number,
  shrinks: number,
): Cut | undefined {
  const { compactAt = DEFAULT_COMPACT_AT, maxOutputTokens: output = DEFAULT_OUTPUT } = persona.model
  const full = Math.min(compactAt * window, window - output)
  const tokens = tokensOf(transcript, tools)
  if (shrinks === 0 && tokens <= full) return undefined
  // Who says that it is too long has less room than was thought.
  const room = Math.min(full, tokens) / 2 ** (shrinks + 1)
  const cut = cutOf(transcript, Math.max(1, KEPT_TURNS >> shrinks), room)
  if (!cut || shrinks > 0) return cut
  const gone = tokensIn(transcript.messages.slice(transcript.starts[0]?.at, cut.at))
  return gone >= LEAST_GAIN * window ? cut : undefined
}

async function compact(
  session: Session,
  transcript: Transcript,
  turn: number,
  prompt: Message[],
  { cut, window, shrinks }: { cut: Cut; window: number; shrinks: number },
): Promise<{ end: DeliveryEnd } | undefined> {
  const { deps, place, tools } = session
  const { messages } = transcript
  const older = messages.slice(0, cut.at)
  // The same beginning as in the turns before, which providers may have kept.
  const asked: Message[] = [...older, { role: 'user', content: SUMMARISE }]
  const answered =
    shrinks > 1
      ? undefined
      : await askModel(session, transcript, turn, prompt, { messages: asked, purpose: 'summary' })
  if (answered && 'end' in answered) return answered
  const said = answered && 'outcome' in answered ? answered : undefined
  transcript.tokens += said?.tokens ?? 0
  const text = said && said.toolCalls.length === 0 ? said.content.trim() : ''
  const longest = Math.floor(LONGEST_SUMMARY * window)
  const summary =
    text === ''
      ? deps.scrub(outlineOf(messages.slice(transcript.prompt, cut.at), Math.min(longest, LONGEST_OUTLINE)))
      : text.slice(0, longest).toWellFormed()
  const after = [
    ...messages.slice(0, transcript.prompt),
    summaryMessage(cut.upToTurn, summary),
    ...messages.slice(cut.at),
  ]
  const file = fileOf(session)
  const data: Compacted = {
    upToTurn: cut.upToTurn,
    summary,
    tokensBefore: tokensOf(transcript, tools),
    tokensAfter: tokensIn(after) + tokensIn(tools),
    by: text === '' ? 'outline' : 'model',
    counts: countsOf(transcript, file !== undefined && hasWritten(transcript, file)),
  }
  compacted(transcript, data, cut.at)
  transcript.wroteFile = data.counts.wroteFile
  const key = `compacted-${transcript.callsOfNextTurn}-${shrinks}`
  const line = eventAt(place, 'context.compacted', key, data, turn)
  if (isFenced(await session.append([...(said?.lines ?? []), line]))) return { end: FENCED }
  deps.reach('after-record')
  deps.log.info({ ...place, turn, count: cut.upToTurn }, 'the first so many turns were summarised')
  return undefined
}
