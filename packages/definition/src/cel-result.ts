/** Characters and values of one result. */
const MAX_CHARACTERS = 4 * 1024 * 1024
const MAX_VALUES = 500_000
const MAX_DEPTH = 128

export class ResultTooLarge extends Error {
  override readonly name = 'ResultTooLarge'
}

/** A CEL value as JSON, copied: the result shares nothing with the scope. Throws on what JSON cannot hold. */
export function jsonOf(result: unknown): unknown {
  let characters = MAX_CHARACTERS
  let values = MAX_VALUES
  const text = (value: string) => {
    characters -= value.length
    if (characters < 0) throw new ResultTooLarge('its value is larger than 4 MB')
    return value
  }
  const copy = (value: unknown, depth: number): unknown => {
    values -= 1
    if (values < 0 || depth > MAX_DEPTH) throw new ResultTooLarge('its value has too many parts')
    if (value === null || typeof value === 'boolean') return value
    if (typeof value === 'string') return text(value)
    if (typeof value === 'number') return finite(value)
    if (typeof value === 'bigint') return whole(value)
    if (value instanceof Date) return value.toISOString()
    if (isDuration(value)) return String(value)
    if (value instanceof Uint8Array) return text(Buffer.from(value).toString('base64'))
    if (value instanceof Map) return object([...value], depth)
    if (value instanceof Set) return [...value].map((item) => copy(item, depth + 1))
    if (Array.isArray(value)) return value.map((item) => copy(item, depth + 1))
    if (isPlain(value)) return object(Object.entries(value), depth)
    // An unsigned int is an object of a class that cel-js does not export.
    const primitive: unknown = value?.valueOf()
    if (typeof primitive === 'bigint') return whole(primitive)
    throw new TypeError('its value is not JSON')
  }
  const object = (entries: [unknown, unknown][], depth: number) =>
    Object.fromEntries(
      entries
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => [text(String(key)), copy(value, depth + 1)] as const),
    )
  return copy(result, 0)
}

/** cel-js does not export the class. */
function isDuration(value: unknown): boolean {
  return Object.prototype.toString.call(value) === '[object google.protobuf.Duration]'
}

function isPlain(value: unknown): value is object {
  if (value === null || typeof value !== 'object') return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw new TypeError(`its value is ${value}, which is not a JSON number`)
  return value
}

function whole(value: bigint): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw new TypeError(`its value ${value} is not exact as a JSON number`)
  return number
}
