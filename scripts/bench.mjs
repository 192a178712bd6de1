// npm run bench: measures Devflow beside its peers. Arguments go to bench/run.ts.
import { join } from 'node:path'
import { bootstrap, root, runNode, runScript } from './bootstrap.mjs'

await runScript(async () => {
  await bootstrap()
  return runNode([join(root, 'bench', 'run.ts'), ...process.argv.slice(2)], { cwd: root })
})
