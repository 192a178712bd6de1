// node tests/real/real.ts: runs spec-and-review@1 on the real OpenRouter and records what was said. OPENROUTER_API_KEY pays;
// OPENROUTER_BASE_URL leads elsewhere, DEVFLOW_RECORDING says where the recording goes. Exits: 0 done, 1 failed, 2 no key.
import { homedir } from 'node:os'
import { join, relative } from 'node:path'
import { OPENROUTER_RECORDINGS } from '@devflow/testing'
import { realRun } from './real-run.ts'
import { ROOT } from './stack.ts'

const LIMIT_MICRO_USD = 100_000

const { OPENROUTER_API_KEY: apiKey = '', OPENROUTER_BASE_URL, DEVFLOW_RECORDING } = process.env
const say = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

if (apiKey === '') {
  process.stderr.write(
    'OPENROUTER_API_KEY is not set: this run speaks to the real OpenRouter. Make a key at https://openrouter.ai/keys, and run\n' +
      '  OPENROUTER_API_KEY=sk-or-… npm run e2e:real\n' +
      'It costs a few cents, at most 0.10 USD. Without a key, `npm test` runs the same against a stand-in.\n',
  )
  process.exit(2)
}

const ended = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => ended.abort(new Error(`Ended by ${signal}. Nothing was recorded.`)))
try {
  const { written } = await realRun({
    apiKey,
    upstream: (OPENROUTER_BASE_URL || 'https://openrouter.ai/api/v1').replace(/\/+$/, ''),
    limitMicroUsd: LIMIT_MICRO_USD,
    recording: DEVFLOW_RECORDING || join(OPENROUTER_RECORDINGS, 'spec-and-review'),
    folders: { [ROOT]: '/checkout', [homedir()]: '/somebody' },
    say,
    signal: ended.signal,
  })
  say(`Recorded ${written.length} exchanges:`)
  for (const file of written) say(`  ${relative(process.cwd(), file)}`)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = ended.signal.aborted ? 130 : 1
}
