// Records logs, by hand: `node tests/formats/record.ts`, or with the paths of tests whose runs it may take. It plays tests
// and keeps, of the runs in them, one for each type of event and each kind of phase that no log on record has. What is on
// record stays: a build must read what older ones wrote.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EVENT_FORMAT } from '@devflow/contracts'
import { startVitest } from 'vitest/node'
import { keep, keptLogs } from './folder.ts'
import { kindsIn, WANTED } from './kept-log.ts'
import { withoutPlace } from './without-place.ts'

/** Where runs of every kind are. */
const PLAYED = ['tests/e2e/*.test.ts', 'tests/cli/gates.test.ts']

const here = fileURLToPath(new URL('.', import.meta.url))
const taken = process.env.DEVFLOW_LOGS_TAKEN ?? mkdtempSync(join(tmpdir(), 'devflow-logs-'))
mkdirSync(taken, { recursive: true })
mkdirSync(join(here, String(EVENT_FORMAT)), { recursive: true })
const paths = process.argv.slice(2)
if (readdirSync(taken).length === 0 || paths.length > 0) {
  const vitest = await startVitest('test', [], {
    root: join(here, '..', '..'),
    include: paths.length > 0 ? paths : PLAYED,
    setupFiles: [join(here, 'taking.ts')],
    env: { DEVFLOW_LOGS_TAKEN: taken },
    watch: false,
  })
  await vitest.close()
}

const candidates = readdirSync(taken)
  .map((file) => withoutPlace(readFileSync(join(taken, file), 'utf8')))
  .filter((log) => log !== undefined)
  .sort((a, b) => JSON.stringify(a).length - JSON.stringify(b).length)
const has = new Set(
  [...keptLogs()].flatMap(([name, { log }]) =>
    name.startsWith(`${EVENT_FORMAT}/`) ? [...kindsIn(log)] : [],
  ),
)
const isMissing = (kind: string) => WANTED.includes(kind) && !has.has(kind)
// Those that few runs have, first: they bring the others along.
const counts = new Map(
  WANTED.map((kind) => [kind, candidates.filter((log) => kindsIn(log).has(kind)).length]),
)
for (const kind of WANTED.toSorted((a, b) => (counts.get(a) ?? 0) - (counts.get(b) ?? 0))) {
  if (!isMissing(kind)) continue
  const log = candidates.find((candidate) => kindsIn(candidate).has(kind))
  if (!log) {
    process.stdout.write(`no run has: ${kind}\n`)
    continue
  }
  keep(kind.replace(/^event /, ''), log)
  for (const found of kindsIn(log)) has.add(found)
}
if (process.env.DEVFLOW_LOGS_TAKEN === undefined) rmSync(taken, { recursive: true, force: true })
