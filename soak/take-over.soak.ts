import { expect, test } from 'vitest'
import { expectSound, submit, waitForEvents, waitForStatus } from '../tests/crash/runs.ts'
import { Stack } from '../tests/crash/stack.ts'

/** The times of a stack as people run it. */
const USUAL_TIMES = {
  DEVFLOW_HEARTBEAT_TIMEOUT_MS: '10000',
  DEVFLOW_HEARTBEAT_INTERVAL_MS: '500',
  DEVFLOW_STICKY_TIMEOUT_MS: '2000',
  DEVFLOW_DRAIN_MS: '30000',
  DEVFLOW_CALL_BACKOFF_MS: '1000',
  DEVFLOW_SWEEP_MS: '30000',
  DEVFLOW_PING_INTERVAL_MS: '2000',
  DEVFLOW_PING_TIMEOUT_MS: '10000',
  DEVFLOW_RESTART_MAX_MS: '5000',
}

test('with the usual times, a run goes on within 15 seconds after its worker was killed', async () => {
  const stack = await Stack.start({ workers: 2, env: USUAL_TIMES })
  try {
    const seconds: number[] = []
    for (let round = 0; round < 5; round += 1) {
      const run = await submit(stack, 'crash:one@1', { turns: 6, chunks: 20, chunkDelayMs: 30 })
      await waitForEvents(stack, run, 'turn.completed', 2)
      const killed = Date.now()
      await stack.killAndWait(...stack.ready.pids.workers)
      await waitForEvents(stack, run, 'session.resumed', 1)
      const { rows } = await stack.pool.query<{ at: Date }>(
        "select at from devflow.run_events where run_id = $1 and type = 'session.resumed'",
        [run],
      )
      seconds.push(((rows[0]?.at.getTime() ?? Number.POSITIVE_INFINITY) - killed) / 1000)
      await waitForStatus(stack, run, 'completed', 60_000)
      await expectSound(stack, run, { repeats: 1 })
    }
    process.stdout.write(`${JSON.stringify({ seconds })}\n`)
    expect(Math.max(...seconds)).toBeLessThan(15)
  } finally {
    await stack.close()
  }
}, 300_000)
