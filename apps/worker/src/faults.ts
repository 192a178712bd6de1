import { readFileSync, unlinkSync } from 'node:fs'
import type { FaultPoint } from '@devflow/activities'

/**
 * For crash tests: when `file` holds `point:count`, the process that first reaches the point for the count-th time
 * takes the file away and dies on the spot. Without a file nothing is ever read.
 */
export function faultAt(file: string | undefined): (point: FaultPoint) => void {
  if (file === undefined) return () => {}
  let order = ''
  let left = 0
  return (reached) => {
    const text = read(file)
    const [point, count] = text.split(':')
    if (point !== reached) return
    if (text !== order) {
      order = text
      left = Number(count)
    }
    left -= 1
    if (left > 0 || !take(file)) return
    process.kill(process.pid, 'SIGKILL')
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // No order: the usual case.
  }
}

function take(file: string): boolean {
  try {
    unlinkSync(file)
    return true
  } catch {
    return false // Another process was first.
  }
}
