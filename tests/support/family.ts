import { readdirSync, readFileSync } from 'node:fs'

/** A process and all it has started, however deep, that are there now. */
export function familyOf(pid: number): number[] {
  const parents = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => [Number(name), parentOf(name)] as const),
  )
  const family = [pid]
  for (const each of family) for (const [child, parent] of parents) if (parent === each) family.push(child)
  return family
}

function parentOf(pid: string): number {
  try {
    // The name of a program may hold anything, a bracket too.
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1])
  } catch {
    return 0 // It has ended meanwhile.
  }
}
