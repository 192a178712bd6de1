// npm start: sets up what is missing, then runs `devflow up` with the arguments after `--`.
import { join } from 'node:path'
import { bootstrap, compileCache, root, runNode, runScript } from './bootstrap.mjs'

await runScript(async () => {
  await bootstrap()
  const main = join(root, 'apps', 'cli', 'src', 'main.ts')
  // The channel tells `up` when this process is gone, by kill -9 too.
  return runNode([main, 'up', ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: compileCache(),
  })
})
