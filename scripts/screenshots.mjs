// npm run screenshots: takes the pictures of the Temporal UI in docs/images anew. It needs a Chromium: on PATH, or by CHROMIUM.
import { join } from 'node:path'
import { bootstrap, root, runNode, runScript } from './bootstrap.mjs'

await runScript(async () => {
  await bootstrap()
  return runNode([join(root, 'tests', 'screenshots', 'screenshots.ts'), ...process.argv.slice(2)], {
    cwd: root,
  })
})
