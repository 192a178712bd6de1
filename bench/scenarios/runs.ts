import type { Bench } from '../bench.ts'
import { cpuMs } from '../cpu.ts'
import { PHASES } from '../entries.ts'
import { judged, type Row, short } from '../figures.ts'
import { sideBySide } from '../side-by-side.ts'
import { expectCompleted } from '../stack.ts'

const AIM = 0.6
const FLOWS = 96
const AT_ONCE = 16

/** Run throughput: runs of three one-turn agent phases, against Temporal workflows of three empty activities on the same server. */
export async function runs(bench: Bench): Promise<Row[]> {
  const stack = await bench.stack()
  const peer = await bench.peer('temporal')
  const play = async () => {
    const started = performance.now()
    let left = FLOWS
    const one = async () => {
      while (left-- > 0)
        expectCompleted(await stack.settled(await stack.submit({ template: 'bench-agents@1' })))
    }
    await Promise.all(Array.from({ length: AT_ONCE }, one))
    return performance.now() - started
  }
  const sides = [{ name: 'devflow', play, cpuMs: () => stack.cpuMs(), count: FLOWS }]
  if (peer)
    sides.push({
      name: 'temporal',
      play: () => peer.play({ flows: FLOWS, steps: PHASES.length, atOnce: AT_ONCE }),
      cpuMs: () => peer.cpuMs() + cpuMs([stack.endpoints.pids.temporal]),
      count: FLOWS,
    })
  const [ours, temporal] = await sideBySide(bench, sides)
  if (!ours) throw new Error('nothing was measured')
  return [
    {
      scenario: `runs/s of three one-turn phases, ${AT_ONCE} in flight`,
      devflow: `${short(ours.perSecond)} (${short(ours.cpuMs)} ms CPU a run)`,
      peers: temporal
        ? `temporal, three empty activities: ${short(temporal.perSecond)} (${short(temporal.cpuMs)} ms): ratio ${temporal.ratio.toFixed(2)}`
        : 'temporal is missing',
      aim: judged(`ratio ${AIM}`, (temporal?.ratio ?? 0) >= AIM),
    },
  ]
}
