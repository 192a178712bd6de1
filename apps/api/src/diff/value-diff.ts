import type { ValueChange, ValueDiff } from '@devflow/contracts'
import microdiff from 'microdiff'

/** Places that are told of one value. */
const MOST_CHANGES = 200

const CHANGES = { CREATE: 'added', REMOVE: 'removed', CHANGE: 'changed' } as const

type Json = NonNullable<ValueChange['a']>

/** Where two values of JSON differ. */
export function valueDiff(a: unknown, b: unknown): ValueDiff {
  // Wrapped, so that values that are no objects are compared as well.
  const found = microdiff({ it: a ?? null }, { it: b ?? null }, { cyclesFix: false })
  const changes = found.slice(0, MOST_CHANGES).map(
    (each): ValueChange => ({
      path: pathOf(each.path.slice(1)),
      change: CHANGES[each.type],
      ...(each.type === 'CREATE' ? {} : { a: each.oldValue as Json }),
      ...(each.type === 'REMOVE' ? {} : { b: each.value as Json }),
    }),
  )
  return { changes, ...(found.length > MOST_CHANGES ? { more: found.length - MOST_CHANGES } : {}) }
}

function pathOf(path: readonly (string | number)[]): string {
  return path
    .map((part, at) => (typeof part === 'number' ? `[${part}]` : at === 0 ? part : `.${part}`))
    .join('')
}
