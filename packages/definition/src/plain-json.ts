/** Levels of nesting and values in one document. */
const MAX_DEPTH = 64
const MAX_VALUES = 100_000

/** A value that no entry may hold, and where it is. */
export class NotJson extends Error {
  readonly path: readonly PropertyKey[]

  constructor(path: readonly PropertyKey[], message: string) {
    super(message)
    this.path = path
  }
}

/** A copy without shared parts, so that aliases cannot make it endless or explode it later. Throws NotJson. */
export function plainJson(root: unknown): unknown {
  let left = MAX_VALUES
  const copy = (value: unknown, path: readonly PropertyKey[]): unknown => {
    if (path.length > MAX_DEPTH) throw new NotJson(path.slice(0, 8), `nests deeper than ${MAX_DEPTH} levels`)
    left -= 1
    if (left < 0) throw new NotJson(path.slice(0, 8), `holds more than ${MAX_VALUES} values`)
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
    if (typeof value === 'number') {
      if (Number.isFinite(value)) return value
      throw new NotJson(path, `${value} is not a JSON number`)
    }
    if (Array.isArray(value)) return value.map((item, index) => copy(item, [...path, index]))
    if (typeof value !== 'object') throw new NotJson(path, 'is not a JSON value')
    const entries = Object.entries(value).map(([key, item]) => {
      // As a key it would set an object's prototype in code that copies by assignment.
      if (key === '__proto__') throw new NotJson([...path, key], 'is not allowed as a name')
      return [key, copy(item, [...path, key])] as const
    })
    return Object.fromEntries(entries)
  }
  return copy(root, [])
}
