import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { expectSound, requestsByTurn, submit, waitForStatus } from './runs.ts'
import { Stack } from './stack.ts'

const RUNS = 32
const FREEZES = 12
/** Longer than a session's heartbeat timeout, so that others take over and have turns on record before it wakes. */
const FROZEN_MS = 4_500

test(`workers frozen ${FREEZES} times in whatever ${RUNS} sessions do at that moment: on waking they send nothing that another has done`, async () => {
  const stack = await Stack.start({ workers: 2 })
  try {
    const how = { turns: 38, chunks: 3, chunkDelayMs: 2 }
    const runs = await Promise.all(Array.from({ length: RUNS }, () => submit(stack, 'crash:one@1', how)))
    for (let freezes = 0; freezes < FREEZES; freezes += 1) {
      const worker = stack.ready.pids.workers[freezes % 2] ?? 0
      await pause(700 + Math.random() * 300)
      process.kill(worker, 'SIGSTOP')
      await pause(FROZEN_MS)
      process.kill(worker, 'SIGCONT')
    }
    let [requests, repeated] = [0, 0]
    for (const run of runs) {
      await waitForStatus(stack, run, 'completed', 400_000)
      await expectSound(stack, run, { repeats: FREEZES })
      for (const sent of (await requestsByTurn(stack, run)).values()) {
        requests += sent.length
        repeated += sent.length - 1
      }
    }
    process.stdout.write(`${JSON.stringify({ runs: RUNS, freezes: FREEZES, requests, repeated })}\n`)
    expect(repeated).toBeGreaterThan(0)
  } finally {
    await stack.close()
  }
})
