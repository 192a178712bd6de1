import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** How often the clock looks which pieces are due, in ms: what a stream sends comes at most so much too late. */
const TICK_MS = 1
/** What a piece says: the time it was sent at, by `performance.now()` of this process. */
export const PIECE = /"text":"t([\d.]+) /g

export interface ClockProvider {
  readonly baseURL: string
  /** Resolves once so many requests wait for their answer. */
  asked(requests: number): Promise<void>
  /** Answers all that wait, each with pieces at an even pace for so long. Resolves when all have been told the end. */
  answer(pace: { perSecond: number; seconds: number }): Promise<void>
  close(): Promise<void>
}

/** A server of chat completions that says what time it is: who reads its answers knows how long they were under way. */
export async function startClockProvider(): Promise<ClockProvider> {
  const waiting: ServerResponse[] = []
  let onAsked = () => {}
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      waiting.push(response)
      onAsked()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked: async (requests) => {
      while (waiting.length < requests) await new Promise<void>((resolve) => (onAsked = resolve))
    },
    answer: (pace) => stream(waiting.splice(0), pace),
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function stream(
  responses: ServerResponse[],
  { perSecond, seconds }: { perSecond: number; seconds: number },
): Promise<void> {
  const started = performance.now()
  const each = perSecond * seconds
  // Each stream has a beat of its own: they do not all speak in the same millisecond.
  const beats = responses.map((response) => ({ response, offset: Math.random() / perSecond, sent: 0 }))
  while (beats.some(({ sent }) => sent < each)) {
    const now = performance.now()
    for (const beat of beats) {
      const due = Math.min(each, Math.floor(((now - started) / 1_000 - beat.offset) * perSecond))
      for (; beat.sent < due; beat.sent++)
        beat.response.write(frame({ content: `t${performance.now().toFixed(2)} ` }))
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS))
  }
  for (const { response } of beats) response.end(`${frame({}, 'stop')}data: [DONE]\n\n`)
}

function frame(delta: object, finish?: string): string {
  const said = {
    id: 'clock',
    object: 'chat.completion.chunk',
    model: 'clock',
    choices: [{ index: 0, delta, finish_reason: finish ?? null }],
    ...(finish ? { usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } } : {}),
  }
  return `data: ${JSON.stringify(said)}\n\n`
}
