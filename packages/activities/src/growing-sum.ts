/**
 * Sums a measure over a list that only ever grows, such as a conversation: what was measured once is not measured again,
 * however long it gets (I12).
 */
export function growingSum<T>(measure: (part: T) => number): (parts: readonly T[]) => number {
  const known = new WeakMap<readonly T[], { count: number; sum: number }>()
  return (parts) => {
    const { count, sum } = known.get(parts) ?? { count: 0, sum: 0 }
    let total = sum
    for (const part of parts.slice(count)) total += measure(part)
    known.set(parts, { count: parts.length, sum: total })
    return total
  }
}
