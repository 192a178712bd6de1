/**
 * Sums a measure over a list that only ever grows, such as a conversation: what was measured once is not measured again,
 * however long it gets (I12).
 */
export function growingSum<T>(measure: (part: T) => number): (parts: readonly T[]) => number {
  const known = new WeakMap<readonly T[], { count: number; sum: number }>()
  return (parts) => {
    const measured = known.get(parts) ?? { count: 0, sum: 0 }
    if (measured.count < parts.length) {
      for (const part of parts.slice(measured.count)) measured.sum += measure(part)
      measured.count = parts.length
      known.set(parts, measured)
    }
    return measured.sum
  }
}
