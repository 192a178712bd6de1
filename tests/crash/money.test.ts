import { expect, test } from 'vitest'
import { expectBooksToAgree, killWorkersAtRandom } from './money.ts'
import { Stack } from './stack.ts'

test('after kills at random moments the books agree with the provider’s, call by call', async () => {
  const stack = await Stack.start({ workers: 2 })
  try {
    const { runs, kills } = await killWorkersAtRandom(stack, 3, 4)
    const { requests, repeated } = await expectBooksToAgree(stack, runs, kills)
    expect(requests).toBeGreaterThan(12)
    expect(repeated).toBeLessThanOrEqual(kills * 4)
  } finally {
    await stack.close()
  }
}, 120_000)
