import { compare, DevflowError, exactOf, type Scrub, storable } from '@devflow/contracts'

const MOST_DEPTH = 64
const MOST_KEYS = 20_000

export interface BodyLimits {
  maxBodyBytes: number
  scrub: Scrub
}

/**
 * The JSON body of a request, scrubbed of secrets and of what Postgres cannot hold; undefined when there is none. `isOptional`: also when
 * it is empty.
 * Throws DevflowError INVALID `unsupported_media_type` (415), `body_too_large` (413), `malformed_json`,
 * `too_deep`, `too_many_keys`.
 */
export async function readBody(
  request: Request,
  { maxBodyBytes, scrub }: BodyLimits,
  isOptional: boolean,
): Promise<unknown> {
  const bytes = await readBytes(request, maxBodyBytes)
  const type = request.headers.get('content-type')
  if (bytes.length === 0 && type === null) return undefined
  if (!/^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type ?? '')) {
    throw new DevflowError('INVALID', 'unsupported_media_type', 'A body must be application/json, in UTF-8.')
  }
  // Many clients name the type of every body, also of none.
  if (bytes.length === 0 && isOptional) return undefined
  const text = decode(bytes)
  refuseBombs(text)
  return scrub(storable(parse(text)))
}

async function readBytes(request: Request, mostBytes: number): Promise<Buffer> {
  const refusal = () =>
    new DevflowError('INVALID', 'body_too_large', `The body is larger than ${mostBytes} bytes.`)
  if (Number(request.headers.get('content-length') ?? 0) > mostBytes) throw refusal()
  const parts: Uint8Array[] = []
  let size = 0
  if (request.body) {
    for await (const part of request.body) {
      size += part.byteLength
      if (size > mostBytes) throw refusal()
      parts.push(part)
    }
  }
  return Buffer.concat(parts)
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw malformed('not UTF-8', undefined)
  }
}

/** Looks at the brackets and colons outside strings, before anything is built that recursion would walk. */
function refuseBombs(text: string): void {
  let depth = 0
  let keys = 0
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    if (char === '"') i = endOfString(text, i)
    else if (char === '[' || char === '{') {
      if (++depth > MOST_DEPTH) {
        throw new DevflowError('INVALID', 'too_deep', `The body is nested deeper than ${MOST_DEPTH} levels.`)
      }
    } else if (char === ']' || char === '}') depth -= 1
    else if (char === ':' && ++keys > MOST_KEYS) {
      throw new DevflowError('INVALID', 'too_many_keys', `The body has more than ${MOST_KEYS} keys.`)
    }
  }
}

function endOfString(text: string, start: number): number {
  let i = start + 1
  while (i < text.length && text[i] !== '"') i += text[i] === '\\' ? 2 : 1
  return i
}

function parse(text: string): unknown {
  try {
    return LIMIT.test(text) ? JSON.parse(text, withExactLimits) : JSON.parse(text)
  } catch (error) {
    const message = error instanceof Error ? error.message : ''
    throw malformed(wordsOf(message), positionOf(message, text))
  }
}

const LIMIT = /"(limit|raiseTo)MicroUsd"/

/** A limit that a double would change is no number: whoever reads the field refuses it, and names its path. */
function withExactLimits(key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || !LIMIT.test(`"${key}"`)) return value
  const [written, kept] = [exactOf(context?.source ?? ''), exactOf(value)]
  return written && kept && compare(written, kept) === 0 ? value : Number.NaN
}

function malformed(what: string, position: { line: number; column: number } | undefined): DevflowError {
  const where = position ? ` at line ${position.line}, column ${position.column}` : ''
  const message = `The body is malformed JSON${where}: ${what}.`
  return new DevflowError('INVALID', 'malformed_json', message, {
    errors: [{ path: '', message: `${what}${where}` }],
  })
}

/** V8's words without its position and its quotation of the body. */
function wordsOf(message: string): string {
  const words = message.replace(/ in JSON at position .*$/s, '').replace(/ at position .*$/s, '')
  return words
    .replace(/, (\.\.\.)?".*$/s, '')
    .replace(/ of JSON input$/, ' of the input')
    .slice(0, 200)
}

function positionOf(message: string, text: string): { line: number; column: number } | undefined {
  const told = /\(line (\d+) column (\d+)\)/.exec(message)
  if (told) return { line: Number(told[1]), column: Number(told[2]) }
  // V8 gives no position for a token it did not expect, nor for an early end.
  const token = /^Unexpected token '(.)'/su.exec(message)?.[1]
  const index = token === undefined ? text.length : indexOutsideStrings(text, token)
  const before = text.slice(0, index)
  return { line: before.split('\n').length, column: index - before.lastIndexOf('\n') }
}

function indexOutsideStrings(text: string, token: string): number {
  for (let i = 0; i < text.length; i++) {
    const literal = /^(?:true|false|null)/.exec(text.slice(i, i + 5))?.[0]
    if (text[i] === '"') i = endOfString(text, i)
    else if (literal) i += literal.length - 1
    else if (text.startsWith(token, i)) return i
  }
  return text.length
}
