// `devflow up` with stand-ins for API and worker, so that tests see supervision alone.
import { fileURLToPath } from 'node:url'
import { endWith } from '../end-with.ts'
import { readManner } from '../manner.ts'
import { wordsIn } from '../messages/languages.ts'
import { createProgram } from '../program.ts'

const beside = (file: string) => fileURLToPath(new URL(file, import.meta.url))
const { language, ...manner } = readManner(process.argv, process.env)
const words = wordsIn(language)
const program = createProgram(words, {
  migrate: async () => {},
  api: beside('./api.fixture.ts'),
  worker: beside('./worker.fixture.ts'),
})
await endWith(program, { ...manner, words })
