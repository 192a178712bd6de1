import { invalid } from './errors.ts'

export type QueryValue = string | number | boolean | Date | readonly string[] | undefined

/** A path under the base URL. Throws ValidationError when a value cannot stand in a path. */
export function path(texts: TemplateStringsArray, ...values: string[]): string {
  return texts.reduce((all, text, index) => all + segment(values[index - 1] ?? '') + text)
}

function segment(value: string): string {
  // These would be another path: URLs are normalised before they are sent.
  if (typeof value === 'string' && value !== '' && value !== '.' && value !== '..')
    return encodeURIComponent(value)
  const message = 'expected a text that is neither empty nor dots alone'
  throw invalid('invalid', `"${value}" is no id or name: ${message}.`, 'path', message)
}

export function queryOf(values: Record<string, QueryValue>, labels: Record<string, string> = {}): string {
  const query = new URLSearchParams()
  const all = {
    ...values,
    ...Object.fromEntries(Object.entries(labels).map(([key, value]) => [`label.${key}`, value])),
  }
  for (const [key, value] of Object.entries(all)) {
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue
    query.set(key, value instanceof Date ? value.toISOString() : String(value))
  }
  return query.size > 0 ? `?${query}` : ''
}
