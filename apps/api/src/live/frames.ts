import type { RunEvent, TopicEvent } from '@devflow/contracts'

/** A row of a log as it goes to every client of an event stream. */
export interface Frame {
  seq: number
  type: string
  bytes: Uint8Array
}

const encoder = new TextEncoder()

/** JSON holds no raw line break, so the data is always one line. */
export function frameOf(event: RunEvent): Frame {
  const { seq, type } = event
  const data = type === 'chunk' || type === 'chunk.reset' ? event.data : event
  return { seq, type, bytes: encoder.encode(`id: ${seq}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`) }
}

/** Frames as they go out together. */
export const joined = (frames: readonly Frame[]): Uint8Array =>
  Buffer.concat(frames.map(({ bytes }) => bytes))

export function topicFrame(event: TopicEvent): Uint8Array {
  return encoder.encode(`id: ${event.seq}\nevent: ${event.topic}\ndata: ${JSON.stringify(event)}\n\n`)
}

/** A comment: it keeps the connection alive and tells how far the stream has looked. */
export function heartbeat(cursor: string | number): Uint8Array {
  return encoder.encode(`: cursor=${cursor}\n\n`)
}

/** The end has no id, so that a client that comes back asks from the last event. */
export function endFrame(status: string, lastSeq: number): Uint8Array {
  return encoder.encode(`event: end\ndata: ${JSON.stringify({ status, lastSeq })}\n\n`)
}

export function pokeFrame(event: string, cursor: string, data: unknown): Uint8Array {
  return encoder.encode(`id: ${cursor}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
}

/** Moves the client's last id without an event. */
export function cursorFrame(cursor: string): Uint8Array {
  return encoder.encode(`id: ${cursor}\n\n`)
}
