import { test } from 'vitest'
import { expectAllIsWell, roll } from '../tests/e2e/rolling/roll.ts'

test('50 runs in the middle of something outlive the change to a build with another workflow', async () => {
  await roll(5, expectAllIsWell)
})
