import { isOver, type Run, type RunStatus } from '@devflow/contracts'
import { readHeads, readRun } from '@devflow/db'
import type pg from 'pg'
import { Change } from './change.ts'
import type { Watch } from './watch.ts'

/** Between two looks, after a wait of `waited` ms: the longer it took, the less a little more matters. */
const paceMs = (waited: number) => Math.min(200, 5 + waited / 40)

/** The longest wait a client may ask for, in seconds. */
export const LONGEST_WAIT = 120

/** The seconds in `Prefer: wait=N` (RFC 7240), at most 120; undefined when none are asked for. */
export function preferredWait(header: string | undefined): number | undefined {
  const wait = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])/i.exec(header ?? '')?.[1]
  return wait === undefined ? undefined : Math.min(Number(wait), LONGEST_WAIT)
}

/** The run once it is over or waits for someone, else as it is after `seconds`; undefined when it is gone. */
export async function waitForRun(
  { pool, watch, closing }: { pool: pg.Pool; watch: Watch; closing: AbortSignal },
  { tenant, run, seconds, left }: { tenant: string; run: string; seconds: number; left: AbortSignal },
): Promise<Run | undefined> {
  const begun = performance.now()
  const until = begun + seconds * 1000
  const signal = AbortSignal.any([closing, left])
  const change = new Change()
  const unwatch = watch.moves(run, () => change.tell())
  try {
    while (true) {
      const { version } = change
      // The view of a long run is not cheap: it is read when the head says that it may be what is waited for.
      const [head] = await readHeads(pool, tenant, [run])
      const remaining = until - performance.now()
      const last = remaining <= 0 || signal.aborted
      if (!head || last || (mayBeSettled(head.status) && !head.isCanceling)) {
        const view = await readRun(pool, tenant, run)
        if (!view || last || isSettled(view)) return view
      }
      await new Promise((resolve) =>
        setTimeout(resolve, Math.min(paceMs(performance.now() - begun), remaining)),
      )
      await change.within(until - performance.now(), signal, version)
    }
  } finally {
    unwatch()
  }
}

const mayBeSettled = (status: RunStatus) => isOver(status) || status === 'paused' || status === 'waiting'

/** Over, paused, at a gate, or waiting for a signal; a timer is nobody to wait for. */
function isSettled({ status, waitingFor = [] }: Run): boolean {
  if (isOver(status) || status === 'paused') return true
  return (
    status === 'waiting' && waitingFor.some(({ kind, deadline }) => kind === 'gate' || deadline === undefined)
  )
}
