// npm run soak: the long runs, every *.soak.ts of soak/ and tests/. Arguments go to vitest.
import { join } from 'node:path'
import { bootstrap, root, runNode, runScript } from './bootstrap.mjs'

const AN_HOUR = '3600000'

await runScript(async () => {
  await bootstrap()
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const timeouts = ['--testTimeout', AN_HOUR, '--hookTimeout', AN_HOUR]
  const env = { DEVFLOW_SOAK: 'true' }
  return runNode([vitest, 'run', ...timeouts, '--no-file-parallelism', ...process.argv.slice(2)], {
    cwd: root,
    env,
  })
})
