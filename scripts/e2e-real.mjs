// npm run e2e:real: runs spec-and-review@1 on the real OpenRouter, for at most 0.10 USD, and records what was said.
import { join } from 'node:path'
import { bootstrap, root, runNode, runScript } from './bootstrap.mjs'

await runScript(async () => {
  await bootstrap()
  return runNode([join(root, 'tests', 'real', 'real.ts'), ...process.argv.slice(2)], { cwd: root })
})
