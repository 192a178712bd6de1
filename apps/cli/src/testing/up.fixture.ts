// `devflow up` with stand-ins for API and worker, so that tests see supervision alone.
import { fileURLToPath } from 'node:url'
import { program } from 'commander'
import { addUp } from '../commands/up.ts'
import { endWith } from '../exit-codes.ts'

const beside = (file: string) => fileURLToPath(new URL(file, import.meta.url))
addUp(program.exitOverride(), {
  migrate: async () => {},
  api: beside('./api.fixture.ts'),
  worker: beside('./worker.fixture.ts'),
})
await endWith(() => program.parseAsync())
