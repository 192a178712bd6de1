/** The JSON in a model's plain answer: the whole, a fenced block, or what lies between the first and the last brace. */
export function jsonIn(text: string): { content: unknown } | { unreadable: string } {
  const fenced = /```(?:json)?\s*\n([\s\S]*?)\n\s*```/.exec(text)?.[1]
  const braces = text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)
  for (const candidate of [text, fenced, braces]) {
    if (candidate === undefined || candidate.trim() === '') continue
    try {
      return { content: JSON.parse(candidate) as unknown }
    } catch {
      // Not this one: the next may be.
    }
  }
  return { unreadable: 'The answer holds no JSON. Call the tool `complete` with {"content": …}.' }
}
