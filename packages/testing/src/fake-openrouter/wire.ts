import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Frame } from './frames.ts'
import type { Scenario } from './scenarios.ts'

const COMMENT = ': OPENROUTER PROCESSING\n\n'

/** A frame's text. The cost goes in as text, so that it stands in the body digit for digit. */
function frameText(frame: Frame): string {
  if (frame.kind === 'comment') return COMMENT
  if (frame.kind === 'done') return 'data: [DONE]\n\n'
  return `data: ${withCost(frame.data, frame.costText)}\n\n`
}

const COST_MARK = '"@cost"'

/** Numbers cannot carry `4.51e-06` through JSON.stringify; the mark is replaced in the text. */
export const COST_PLACE = '@cost'

export function withCost(data: unknown, costText: string | undefined): string {
  const text = JSON.stringify(data)
  return costText === undefined ? text : text.replaceAll(COST_MARK, costText)
}

export interface Playing {
  frames: Frame[]
  wire: Scenario['wire']
  chunkDelayMs: number
  /** Ends the waits when the client has gone. */
  gone: AbortSignal
  /** Called before a frame leaves, with the tokens produced so far; what is sent may be read before we go on. */
  onTokens: (tokens: number) => void
  /** Called once bytes are handed to the system. */
  onBytes: (count: number) => void
}

/** Sends the frames; returns when all is sent or throws the reason of `gone`. */
export async function play(response: ServerResponse, playing: Playing): Promise<void> {
  const { frames, wire, chunkDelayMs, gone, onTokens, onBytes } = playing
  let first = true
  for (const frame of frames) {
    gone.throwIfAborted()
    if (frame.kind === 'data') {
      if (!first && chunkDelayMs > 0) await sleep(chunkDelayMs, undefined, { signal: gone })
      first = false
      if (frame.tokens !== undefined) onTokens(frame.tokens)
    }
    const bytes = Buffer.from(frameText(frame))
    await send(response, bytes, wire?.torn === true)
    onBytes(bytes.length)
  }
  if (wire?.close === 'comments_for_ever')
    for (;;) {
      await sleep(20, undefined, { signal: gone })
      await send(response, Buffer.from(COMMENT), false)
    }
}

async function send(response: ServerResponse, bytes: Buffer, torn: boolean): Promise<void> {
  if (!torn) {
    await write(response, bytes)
    return
  }
  for (const byte of bytes) await write(response, Buffer.of(byte))
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

export function close(response: ServerResponse, how: NonNullable<Scenario['wire']>['close']): void {
  if (how === 'linger') return
  if (how === 'reset') response.socket?.resetAndDestroy()
  else response.end()
}
