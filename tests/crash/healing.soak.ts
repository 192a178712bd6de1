import { afterAll, beforeAll, expect, test } from 'vitest'
import { follow } from './reader.ts'
import { expectSound, submit, waitForStatus } from './runs.ts'
import { Stack } from './stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await Stack.start({ workers: 2 })
})
afterAll(() => stack?.close())

test('a turn broken again and again, and in the middle of its healing: each broken stream is voided once, and its text never repeats', async () => {
  stack.armFault('mid-stream', 8)
  const run = await submit(stack, 'crash:one@1', { turns: 1, chunks: 12, chunkDelayMs: 60 })
  const watched = follow(stack, run)
  // The next session dies with the healing not yet written, the third with it written and nothing done since, the fourth
  // in its own stream; the fifth comes to the end.
  for (const [point, count] of [
    ['before-heal', 1],
    ['after-heal', 1],
    ['mid-stream', 8],
  ] as const) {
    await stack.faultStruck()
    stack.armFault(point, count)
  }
  await stack.faultStruck()
  await waitForStatus(stack, run, 'completed')

  const { rows: healed } = await stack.pool.query(
    `select type, data->>'epoch' as epoch, data->>'call' as call from devflow.run_events
     where run_id = $1 and type in ('session.resumed', 'call.lost') order by seq`,
    [run],
  )
  expect(healed).toEqual([
    { type: 'session.resumed', epoch: '3', call: null },
    { type: 'call.lost', epoch: null, call: '1' },
    { type: 'session.resumed', epoch: '4', call: null },
    { type: 'session.resumed', epoch: '5', call: null },
    { type: 'call.lost', epoch: null, call: '2' },
  ])
  const { rows: resets } = await stack.pool.query(
    "select turn, key, delivery from devflow.run_chunks where run_id = $1 and kind = 'reset' order by seq",
    [run],
  )
  expect(resets).toEqual([
    { turn: 1, key: 'write/1/1/1/reset', delivery: 3 },
    { turn: 1, key: 'write/1/1/2/reset', delivery: 5 },
  ])
  // Who followed all the while saw the log as it stands: the same pieces, the same resets.
  const seen = (await watched).filter(({ type }) => type === 'chunk.reset')
  expect(seen).toHaveLength(2)
  await expectSound(stack, run, { repeats: 2 })
}, 120_000)
