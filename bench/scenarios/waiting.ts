import { setTimeout as pause } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import { collectGarbage } from '../collect-garbage.ts'
import { residentMb } from '../cpu.ts'
import { judged, type Row, short } from '../figures.ts'

const RUNS = 1_000
/** Runs that come to their end first: what work itself leaves in a process' memory is not what waiting costs. */
const WARM_UP = 600
const REST_MS = 5_000
const AT_ONCE = 16
const AIM_MB = 100

/** What runs that wait at gates cost the worker in memory, beside what any work costs. */
export async function waiting(bench: Bench): Promise<Row[]> {
  const stack = await bench.stack()
  const [worker = 0] = stack.endpoints.pids.workers
  const bring = async (template: string, count: number) => {
    let left = count
    const one = async () => {
      while (left-- > 0) await stack.settled(await stack.submit({ template }))
    }
    await Promise.all(Array.from({ length: AT_ONCE }, one))
    await pause(REST_MS)
    await collectGarbage(worker)
    // What V8 gives up goes back to the system a moment later.
    await pause(REST_MS)
    return residentMb(worker)
  }
  const before = await bring('bench-agents@1', WARM_UP)
  const after = await bring('bench-gate@1', RUNS)
  return [
    {
      scenario: `${RUNS.toLocaleString('en-US')} runs waiting at gates, worker's memory after garbage collection`,
      devflow: `${short(before)} MB → ${short(after)} MB`,
      aim: judged(`+ ${AIM_MB} MB`, after - before < AIM_MB),
    },
  ]
}
