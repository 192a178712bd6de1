// npm run newcomer: plays the README in a fresh clone with an empty HOME, by command line, curl and client. With `--fresh`
// everything is downloaded anew.
import { join } from 'node:path'
import { bootstrap, root, runNode, runScript } from './bootstrap.mjs'

await runScript(async () => {
  await bootstrap()
  return runNode([join(root, 'tests', 'newcomer', 'newcomer.ts'), ...process.argv.slice(2)])
})
