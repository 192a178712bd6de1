// The published package: `pnpm --filter @devflow/client build` makes it in dist/, ready for `npm publish`.
import { fileURLToPath } from 'node:url'
import { makePackage } from './make-package.ts'

await makePackage(fileURLToPath(new URL('../dist', import.meta.url)))
