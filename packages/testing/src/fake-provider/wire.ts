import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Frame, ReplyFlaw } from './reply.ts'

export interface Playing {
  frames: Frame[]
  flaw: ReplyFlaw | undefined
  /** The provider's way to report an error within an answer. */
  errorFrame: string
  /** What the provider sends to keep a connection alive; undefined where it has nothing for that. */
  keepAlive: string | undefined
  chunkDelayMs: number
  /** Ends the waits when the client has gone. */
  gone: AbortSignal
  /** Called once bytes are handed to the system. */
  onBytes: (count: number) => void
}

/** Sends the frames as the flaw has it; true when the whole answer went out. Throws the reason of `gone`. */
export async function play(response: ServerResponse, playing: Playing): Promise<boolean> {
  const { flaw, gone, errorFrame, keepAlive } = playing
  const send = async (text: string) => {
    gone.throwIfAborted()
    for (const bytes of flaw === 'torn' ? each(Buffer.from(text)) : [Buffer.from(text)]) {
      await write(response, bytes)
      playing.onBytes(bytes.length)
    }
  }
  let first = true
  for (const { text } of cut(playing.frames, flaw)) {
    if (!first && playing.chunkDelayMs > 0) await sleep(playing.chunkDelayMs, undefined, { signal: gone })
    first = false
    await send(text)
  }
  switch (flaw) {
    case 'error_first':
    case 'error_after_text':
      await send(errorFrame)
      break
    case 'breaks_in_call':
      response.socket?.resetAndDestroy()
      return false
    case 'stalls':
      for (;;) {
        await sleep(20, undefined, { signal: gone })
        if (keepAlive !== undefined) await send(keepAlive)
      }
    case 'lingers':
      await sleep(60_000, undefined, { signal: gone })
  }
  response.end()
  return flaw === undefined || flaw === 'torn'
}

/** The frames that go out before the flaw strikes. */
function cut(frames: Frame[], flaw: ReplyFlaw | undefined): Frame[] {
  const before = (part: Frame['part'], share: number) => {
    const places = frames.flatMap((frame, index) => (frame.part === part ? [index] : []))
    const place = places[Math.floor(places.length * share)]
    if (place === undefined) throw new Error(`the flaw ${flaw} needs a reply with a ${part}`)
    return place
  }
  const head = frames.filter(({ part }) => part === 'head')
  switch (flaw) {
    case 'error_first':
    case 'stalls':
      return head
    case 'error_after_text':
    case 'ends_in_text':
      return frames.slice(0, before('text', 0.5))
    case 'breaks_in_call': {
      const place = before('call', 0.5)
      const text = frames[place]?.text ?? ''
      return [...frames.slice(0, place), { part: 'call', text: text.slice(0, text.length / 2) }]
    }
    default:
      return frames
  }
}

function* each(bytes: Buffer): Generator<Buffer> {
  for (const byte of bytes) yield Buffer.of(byte)
}

/** Resolves when the bytes are handed to the system, or at once when the socket is gone. */
const write = (response: ServerResponse, bytes: Buffer): Promise<void> =>
  new Promise((resolve) => {
    if (response.destroyed || response.socket?.destroyed) return resolve()
    const settle = () => {
      response.off('close', settle)
      resolve()
    }
    response.once('close', settle)
    response.write(bytes, settle)
  })
