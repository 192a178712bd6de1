import type { Bench } from '../bench.ts'
import { residentMb } from '../cpu.ts'
import { judged, type Row, short } from '../figures.ts'

const RUNS = 1_000
const WARM_UP = 50
const AT_ONCE = 16
const AIM_MB = 100

/** What runs that wait at gates cost the worker in memory, beside what any work costs. */
export async function waiting(bench: Bench): Promise<Row[]> {
  const stack = await bench.stack()
  const [worker = 0] = stack.endpoints.pids.workers
  const toGates = async (count: number) => {
    let left = count
    const one = async () => {
      while (left-- > 0) await stack.settled(await stack.submit({ template: 'bench-gate@1' }))
    }
    await Promise.all(Array.from({ length: AT_ONCE }, one))
  }
  await toGates(WARM_UP)
  const before = residentMb(worker)
  await toGates(RUNS)
  const after = residentMb(worker)
  return [
    {
      scenario: `${RUNS.toLocaleString('en-US')} runs waiting at gates, worker's memory`,
      devflow: `${short(before)} MB → ${short(after)} MB`,
      aim: judged(`+ ${AIM_MB} MB`, after - before < AIM_MB),
    },
  ]
}
