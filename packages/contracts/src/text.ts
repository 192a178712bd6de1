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
    const next = value.map((item) => mapStrings(item, change))
    return next.every((item, index) => item === value[index]) ? value : next
  }
  if (value !== null && typeof value === 'object') {
    let changed = false
    const next = Object.entries(value).map(([key, item]) => {
      const pair = [change(key), mapStrings(item, change)] as const
      if (pair[0] !== key || pair[1] !== item) changed = true
      return pair
    })
    return changed ? Object.fromEntries(next) : value
  }
  return value
}
