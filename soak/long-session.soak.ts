import { rm } from 'node:fs/promises'
import { afterAll, expect, test } from 'vitest'
import { playLongSession } from '../tests/support/long-session.ts'
import { smallRepository } from '../tests/support/repository.ts'
import { useStack } from '../tests/support/stack.ts'

const stack = useStack()
const repo = await smallRepository()
afterAll(() => rm(repo, { recursive: true, force: true }))

const TURNS = 1_000

/** I12: the thousandth turn costs us what the tenth did, and memory does not grow with the run. */
test('the last hundred turns of a thousand cost what the first did, and the worker stays as small', async () => {
  // What is compiled and filled only once is no turn's cost.
  await playLongSession(stack, repo, 100)
  const session = await playLongSession(stack, repo, TURNS)
  expect(session.turns).toBe(TURNS)
  const [first, last] = [session.cpuMs(1, 101), session.cpuMs(TURNS - 100, TURNS)]
  // The heap takes some hundred turns to find its size.
  const [early, late] = [session.restingBytes(300, 500), session.restingBytes(TURNS - 200, TURNS)]
  const mb = (bytes: number) => Math.round(bytes / 1_048_576)
  console.log(
    `${TURNS} turns, ${session.compactions} compactions: CPU of the first hundred ${first.toFixed(0)} ms, of the last ${last.toFixed(0)} ms; resident ${mb(early)} MB, then ${mb(late)} MB`,
  )
  expect(session.compactions).toBeGreaterThan(20)
  expect(last / first).toBeLessThanOrEqual(1.2)
  expect(late / early).toBeLessThanOrEqual(1.1)
}, 900_000)
