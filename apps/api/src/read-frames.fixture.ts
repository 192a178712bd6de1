/** A server-sent event as a client sees it. */
export interface SeenFrame {
  id: string | undefined
  event: string | undefined
  data: unknown
}

/** Reads an event stream to its end. `pauseMs`: a slow client. */
export async function readFrames(
  response: Response,
  {
    onComment,
    onFrame,
    pauseMs,
  }: { onComment?: (text: string) => void; onFrame?: (frame: SeenFrame) => void; pauseMs?: number } = {},
): Promise<SeenFrame[]> {
  const frames: SeenFrame[] = []
  let rest = ''
  const decoder = new TextDecoder()
  for await (const bytes of response.body ?? []) {
    rest += decoder.decode(bytes, { stream: true })
    const blocks = rest.split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = new Map(
        block
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      )
      if (fields.has('')) onComment?.(fields.get('') ?? '')
      const data = fields.get('data')
      if (data === undefined) continue
      const frame = { id: fields.get('id'), event: fields.get('event'), data: JSON.parse(data) }
      frames.push(frame)
      onFrame?.(frame)
    }
    if (pauseMs !== undefined) await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  return frames
}
