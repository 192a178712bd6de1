const DEFAULT_NAMESPACE = 'devflow'

/** An entry's id taken apart; `version` is absent in a reference to the newest. */
export interface IdParts {
  namespace: string
  name: string
  version: string | undefined
}

export function idParts(id: string): IdParts {
  const colon = id.indexOf(':')
  const at = id.indexOf('@', colon + 1)
  return {
    namespace: colon < 0 ? DEFAULT_NAMESPACE : id.slice(0, colon),
    name: id.slice(colon + 1, at < 0 ? undefined : at),
    version: at < 0 ? undefined : id.slice(at + 1),
  }
}

/** The one spelling of an id: without the default namespace. */
export function canonicalId(id: string): string {
  return id.startsWith(`${DEFAULT_NAMESPACE}:`) ? id.slice(DEFAULT_NAMESPACE.length + 1) : id
}

/** Natural order of versions: 2 < 10, 1.9 < 1.10, 1 < 1+a1b2c3d4, none before all. */
export function compareVersions(a: string | undefined, b: string | undefined): number {
  const left = a?.match(/\d+|[^\d]+/g) ?? []
  const right = b?.match(/\d+|[^\d]+/g) ?? []
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = compareParts(left[i] ?? '', right[i] ?? '')
    if (order !== 0) return order
  }
  return left.length - right.length || compareText(a ?? '', b ?? '')
}

function compareParts(a: string, b: string): number {
  const numbers = /^\d/.test(a) && /^\d/.test(b)
  // BigInt, because a date and time written as a version passes what a double holds exactly.
  if (numbers) return BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0
  return compareText(a, b)
}

/** Order by UTF-16 code units, the same on every machine. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Order of ids: by namespace and name, then natural by version. */
export function compareIds(a: string, b: string): number {
  const left = idParts(a)
  const right = idParts(b)
  return (
    compareText(left.namespace, right.namespace) ||
    compareText(left.name, right.name) ||
    compareVersions(left.version, right.version)
  )
}
