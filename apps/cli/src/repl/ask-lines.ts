import { createInterface } from 'node:readline'

/** What was typed: lines to be done one after the other, and the beginning of another. */
export interface Typed {
  lines: string[]
  rest: string
}

interface Asking {
  prompt: string
  /** What stands there already. */
  begun: string
  /** The latest first. */
  history: readonly string[]
  complete(typed: string): [whole: string[], word: string]
}

/**
 * Asks for a line. Several come where several were pasted, none after Ctrl-C; undefined when nothing comes any more. The
 * terminal is then as it was before, for whoever is to have it next.
 */
export function askLines({ prompt, begun, history, complete }: Asking): Promise<Typed | undefined> {
  const { promise, resolve } = Promise.withResolvers<Typed | undefined>()
  const lines: string[] = []
  const reader = createInterface({
    input: process.stdin,
    output: process.stdout,
    prompt,
    history: [...history],
    historySize: history.length + 1,
    completer: complete,
  })
  const end = (typed: Typed) => {
    resolve(typed)
    reader.close()
  }
  reader.on('line', (line) => {
    // Pasted lines come at once, and all of them before this is done.
    if (lines.push(line) === 1) queueMicrotask(() => end({ lines, rest: reader.line }))
  })
  reader.on('SIGINT', () => {
    process.stdout.write('^C\n')
    end({ lines: [], rest: '' })
  })
  reader.on('close', () => resolve(undefined))
  reader.prompt()
  if (begun !== '') reader.write(begun)
  return promise
}
