import { expect, test } from 'vitest'
import { expectBooksToAgree, killWorkersAtRandom } from '../tests/crash/money.ts'
import { Stack } from '../tests/crash/stack.ts'

test('after 100 kills at random moments the books agree with the provider’s, call by call', async () => {
  const stack = await Stack.start({ workers: 2 })
  try {
    const { runs, kills } = await killWorkersAtRandom(stack, 100, 6)
    const books = await expectBooksToAgree(stack, runs, kills)
    expect(kills).toBeGreaterThanOrEqual(100)
    process.stdout.write(`${JSON.stringify({ kills, runs: runs.length, ...books })}\n`)
  } finally {
    await stack.close()
  }
}, 3_600_000)
