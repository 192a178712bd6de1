import type { Part } from '@google/genai'

/** A part as it came, without what it said: that is in the message itself, without secrets (I8). */
export type Place =
  | { type: 'text'; end: number; signature?: string }
  | { type: 'call'; signature?: string }
  | { type: 'thought'; text: string; signature: string }

/** Kept with an answer, and sent back with it: each signature has to return in the part it came in. */
interface Signatures {
  /** Signatures are worth nothing to another model. */
  google: string
  parts: Place[]
}

/** Undefined where nothing was signed. */
export const signaturesOf = (model: string, parts: Place[]): Signatures | undefined =>
  parts.some(({ signature }) => signature !== undefined) ? { google: model, parts } : undefined

/** What the API takes instead of the signature of a call that it has not made itself. */
const UNSIGNED = 'skip_thought_signature_validator'

function isOurs(reasoning: unknown, model: string): reasoning is Signatures {
  return (
    typeof reasoning === 'object' &&
    reasoning !== null &&
    'google' in reasoning &&
    reasoning.google === model &&
    'parts' in reasoning &&
    Array.isArray(reasoning.parts)
  )
}

/** The parts of an answer, each with its signature where this model gave one. */
export function replayed(reasoning: unknown, model: string, content: string, calls: readonly Part[]): Part[] {
  if (!isOurs(reasoning, model)) {
    // From the third generation on the first call of an answer without a signature is an error.
    const [first, ...others] = calls
    const needed = first && /^gemini-(?:[3-9]|\d\d)/.test(model)
    return [...textPart(content), ...(needed ? [{ ...first, thoughtSignature: UNSIGNED }, ...others] : calls)]
  }
  const rest = [...calls]
  const parts: Part[] = []
  let from = 0
  const texts = reasoning.parts.filter(({ type }) => type === 'text').length
  let seen = 0
  for (const place of reasoning.parts) {
    const signed = place.signature === undefined ? {} : { thoughtSignature: place.signature }
    if (place.type === 'thought') parts.push({ text: place.text, thought: true, ...signed })
    else if (place.type === 'call') parts.push(...rest.splice(0, 1).map((call) => ({ ...call, ...signed })))
    else {
      seen += 1
      // A secret that was cut out has moved what follows: the last one takes all that is left.
      const text = content.slice(from, seen === texts ? undefined : place.end)
      from = place.end
      if (text !== '' || place.signature !== undefined) parts.push({ text, ...signed })
    }
  }
  return [...parts, ...rest]
}

export const textPart = (text: string): Part[] => (text === '' ? [] : [{ text }])
