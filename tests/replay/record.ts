// Records histories of every kind of run anew, by hand: `node tests/replay/record.ts`. What is recorded stays: a new
// build must be able to replay what older ones wrote, so add to the histories, and replace them only before a release.
import { fileURLToPath } from 'node:url'
import { startVitest } from 'vitest/node'

const vitest = await startVitest('test', [], {
  root: fileURLToPath(new URL('../..', import.meta.url)),
  include: ['tests/replay/recording.ts', 'tests/replay/recording-gates.ts'],
  watch: false,
})
await vitest.close()
