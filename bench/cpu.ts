import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts processor time in hundredths of a second. */
const TICK_MS = 10

interface Stat {
  parent: number
  ms: number
}

/** User and system time that these processes, and all they have started, have taken so far, in ms. Linux only: else 0. */
export function cpuMs(pids: readonly number[]): number {
  const stats = new Map(readPids().flatMap((pid) => statOf(pid)))
  const isOurs = (pid: number): boolean => pids.includes(pid) || isChild(pid)
  const isChild = (pid: number): boolean => {
    const parent = stats.get(pid)?.parent
    return parent !== undefined && parent > 1 && isOurs(parent)
  }
  return [...stats].reduce((sum, [pid, { ms }]) => sum + (isOurs(pid) ? ms : 0), 0)
}

/** Resident memory of a process, in MB. */
export function residentMb(pid: number): number {
  const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kb) / 1024
}

function readPids(): number[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc').map(Number).filter(Number.isInteger)
}

function statOf(pid: number): [number, Stat][] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name before the last bracket may hold blanks. Own time, and that of children that have ended.
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const [parent = 0] = fields.slice(1)
    const ticks = fields.slice(11, 15).reduce((sum, value) => sum + value, 0)
    return [[pid, { parent, ms: ticks * TICK_MS }]]
  } catch {
    return [] // It has ended meanwhile.
  }
}
