/**
 * Text that Postgres can hold: jsonb and text refuse NUL, jsonb refuses lone surrogates, and either would stall
 * the group it is appended in. Both become U+FFFD, at the edge where the text comes in.
 */
export function storableText(text: string): string {
  const whole = text.isWellFormed() ? text : text.toWellFormed()
  return whole.includes('\u0000') ? whole.replaceAll('\u0000', '\uFFFD') : whole
}

/** `storableText` through a JSON value, keys included. Returns the value itself when nothing had to change. */
export function storable<T>(value: T): T {
  return mapStrings(value, storableText) as T
}

/** Applies `change` to every string in a JSON value, keys included; unchanged parts keep their identity. */
export function mapStrings(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) {
    let next: unknown[] | undefined
    for (const [index, item] of value.entries()) {
      const changed = mapStrings(item, change)
      if (changed !== item) {
        next ??= [...value]
        next[index] = changed
      }
    }
    return next ?? value
  }
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value)
    let isChanged = false
    for (const entry of entries) {
      const [key, item] = entry
      entry[0] = change(key)
      entry[1] = mapStrings(item, change)
      isChanged ||= entry[0] !== key || entry[1] !== item
    }
    return isChanged ? Object.fromEntries(entries) : value
  }
  return value
}
