/** Bytes of one answer; a stream of events counts as one. */
const LONGEST_ANSWER = 16 * 1024 * 1024

/** `fetch` that follows no redirect to anywhere else and reads no answer without end. */
export async function boundedFetch(url: string | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, { ...init, redirect: 'error' })
  if (!response.body) return response
  let bytes = 0
  const bounded = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(piece, controller) {
        bytes += piece.byteLength
        if (bytes > LONGEST_ANSWER)
          controller.error(new Error(`an answer of more than ${LONGEST_ANSWER} bytes`))
        else controller.enqueue(piece)
      },
    }),
  )
  const { status, statusText, headers } = response
  return new Response(bounded, { status, statusText, headers })
}
