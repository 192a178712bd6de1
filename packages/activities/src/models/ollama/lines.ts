import { incompleteReply } from '../provider-failure.ts'
import { OllamaRefusal } from './errors.ts'

/** A single line larger than this is no model output. */
const LONGEST_LINE = 16 * 1024 * 1024

/**
 * Checks a body line by line before the package reads it, which passes over lines that are no JSON, prints them to the
 * console, and throws errors that cannot be told apart. Whole lines of JSON come out of here; a line with an error, one
 * that cannot be read, and an end without `done` end the body with an error of ours.
 */
export function checkedLines(): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder()
  const encoder = new TextEncoder()
  let held = ''
  let done = false
  const check = (line: string, out: TransformStreamDefaultController<Uint8Array>) => {
    if (line.trim() === '') return
    const said = JSON.parse(line) as { error?: unknown; done?: unknown } | null
    if (said?.error !== undefined) throw new OllamaRefusal(undefined, String(said.error), null)
    out.enqueue(encoder.encode(`${line}\n`))
    if (said?.done !== true) return
    done = true
    // The package reads no further, and would leave a connection open that its server does not end.
    out.terminate()
  }
  return new TransformStream({
    transform(bytes, out) {
      held += decoder.decode(bytes, { stream: true })
      if (held.length > LONGEST_LINE) throw new SyntaxError('a line without an end')
      const lines = held.split('\n')
      held = lines.pop() ?? ''
      for (const line of lines) if (!done) check(line, out)
    },
    flush(out) {
      if (isJson(held)) check(held, out)
      if (!done) throw incompleteReply()
    },
  })
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
