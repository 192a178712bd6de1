import { closeSync, openSync } from 'node:fs'
import { FAULT_POINTS, type FaultPoint } from '@devflow/activities'

/**
 * For crash tests: `point:count:marker` kills this process the count-th time it reaches the point, once for all
 * processes that share the marker file. Without a description nothing ever happens.
 */
export function faultAt(description: string | undefined): (point: FaultPoint) => void {
  if (description === undefined) return () => {}
  const [point, count, ...marker] = description.split(':')
  if (!FAULT_POINTS.some((known) => known === point))
    throw new Error(`DEVFLOW_FAULT names no fault point: ${point}. Known: ${FAULT_POINTS.join(', ')}`)
  let left = Number(count)
  return (reached) => {
    if (reached !== point) return
    left -= 1
    if (left !== 0) return
    try {
      closeSync(openSync(marker.join(':'), 'wx'))
    } catch {
      return // It has happened already.
    }
    process.kill(process.pid, 'SIGKILL')
  }
}
