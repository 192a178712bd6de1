import { setTimeout as pause } from 'node:timers/promises'
import type { Gate } from '@devflow/contracts'
import type { Bench } from '../bench.ts'
import { collectGarbage } from '../collect-garbage.ts'
import { residentMb } from '../cpu.ts'
import { judged, median, type Row, short } from '../figures.ts'
import type { Peer } from '../peers.ts'
import { call, expectCompleted, type Stack } from '../stack.ts'

const RUNS = 1_000
/** Runs that come to their end first: what work itself leaves in a process' memory is not what waiting costs. */
const WARM_UP = 600
const REST_MS = 5_000
/** Runs and workflows that are brought to wait at a time. */
const AT_ONCE = 16
/** Decisions under way at a time. */
const DECIDING = 32
const AIM_MB = 100
const AIM_RATIO = 2

/**
 * A thousand runs wait at gates: what they cost the worker in memory, beside what any work costs; then how fast their
 * decisions are accepted over HTTP while they go on, against updates of as many plain workflows on the same server.
 */
export async function decisions(bench: Bench): Promise<Row[]> {
  const stack = await bench.stack()
  const peer = await bench.peer('temporal')
  await inFlight(range(WARM_UP), AT_ONCE, async () => {
    expectCompleted(await stack.settled(await stack.submit({ template: 'bench-agents@1' })))
  })
  await devflowRound(stack, await bringToGates(stack, DECIDING))
  if (peer) await temporalRound(peer, DECIDING)

  const before = await workerMb(stack)
  let after = Number.NaN
  const ours: Figures[] = []
  const theirs: Figures[] = []
  for (let round = 0; round < bench.rounds; round++) {
    const runs = await bringToGates(stack, RUNS)
    if (round === 0) after = await workerMb(stack)
    ours.push(await devflowRound(stack, runs))
    if (peer) theirs.push(await temporalRound(peer, RUNS))
  }
  const ratio = median(
    ours.map(({ perSecond }, round) => perSecond / (theirs[round]?.perSecond ?? Number.NaN)),
  )
  const many = RUNS.toLocaleString('en-US')
  return [
    {
      scenario: `${many} runs waiting at gates, worker's memory after garbage collection`,
      devflow: `${short(before)} MB → ${short(after)} MB`,
      aim: judged(`+ ${AIM_MB} MB`, after - before < AIM_MB),
    },
    {
      scenario: `decisions/s accepted at ${many} gates, ${DECIDING} under way, while their runs go on`,
      devflow: told(ours),
      peers: peer
        ? `temporal, updates of workflows that do nothing else: ${told(theirs)}: ratio ${ratio.toFixed(2)}`
        : 'temporal is missing',
      aim: judged(`ratio ${AIM_RATIO}`, ratio >= AIM_RATIO),
    },
  ]
}

interface Figures {
  perSecond: number
  /** From the last decision to the end of the last run. */
  endedMs: number
}

const told = (rounds: readonly Figures[]): string =>
  `${short(median(rounds.map(({ perSecond }) => perSecond)))} (all over ${short(median(rounds.map(({ endedMs }) => endedMs)) / 1_000)} s later)`

async function bringToGates(stack: Stack, count: number): Promise<string[]> {
  const runs: string[] = []
  await inFlight(range(count), AT_ONCE, async () => {
    const run = await stack.submit({ template: 'bench-gate@1' })
    const { status } = await stack.settled(run)
    if (status !== 'waiting') throw new Error(`run ${run} is ${status}, and should wait at its gate`)
    runs.push(run)
  })
  return runs
}

/** Decides all, and waits until each run has come to its good end. */
async function devflowRound(stack: Stack, runs: readonly string[]): Promise<Figures> {
  const started = performance.now()
  await inFlight(runs, DECIDING, async (run) => {
    const path = `${stack.endpoints.api}/v1/runs/${run}/gates/ask/decisions`
    const { status } = await call<Gate>(path, { decision: 'approve' })
    if (status !== 'approved') throw new Error(`the gate of run ${run} is ${status}`)
  })
  const decided = performance.now()
  await inFlight(runs, AT_ONCE, async (run) => expectCompleted(await stack.settled(run)))
  return {
    perSecond: (runs.length / (decided - started)) * 1_000,
    endedMs: performance.now() - decided,
  }
}

async function temporalRound(peer: Peer, flows: number): Promise<Figures> {
  await peer.play({ ask: 'wait', flows, atOnce: AT_ONCE })
  const ms = await peer.play({ ask: 'decide', atOnce: DECIDING })
  return { perSecond: (flows / ms) * 1_000, endedMs: await peer.play({ ask: 'end' }) }
}

async function workerMb({ endpoints: { pids } }: Stack): Promise<number> {
  const [worker = 0] = pids.workers
  await pause(REST_MS)
  await collectGarbage(worker)
  // What V8 gives up goes back to the system a moment later.
  await pause(REST_MS)
  return residentMb(worker)
}

const range = (count: number): number[] => Array.from({ length: count }, (_, nth) => nth)

/** Does `work` for each, so many at once. */
async function inFlight<T>(
  things: readonly T[],
  atOnce: number,
  work: (thing: T) => Promise<void>,
): Promise<void> {
  const left = things.values()
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const thing of left) await work(thing)
    }),
  )
}
