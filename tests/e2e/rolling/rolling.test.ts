import { test } from 'vitest'
import { expectAllIsWell, roll } from './roll.ts'

test('a new build with another workflow takes the runs of the old one over, whatever they are in the middle of', async () => {
  await roll(1, expectAllIsWell)
}, 300_000)
