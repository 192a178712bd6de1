// A process for last-words.test.ts: warns, and ends by an error that nobody catches. Its argument: a secret.
import { logLastWords } from './last-words.ts'
import { createLogger } from './logger.ts'

const [secret = ''] = process.argv.slice(2)
logLastWords(createLogger({ name: 'fixture', secrets: [secret] }))
process.emitWarning(`in\nlines, with ${secret}`, 'OddWarning')
setImmediate(() => {
  throw new Error(`nobody catches ${secret}`)
})
setTimeout(() => process.stderr.write('still here\n'), 1_000)
