// node bench/run.ts [scenario…] [--rounds N] [--write]: measures Devflow beside its peers and prints one table; with
// --write it also replaces the table in docs/performance.md.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Bench } from './bench.ts'
import { type Row, table } from './figures.ts'
import { fsyncMs } from './fsync.ts'
import { append } from './scenarios/append.ts'
import { chunks } from './scenarios/chunks.ts'
import { decide } from './scenarios/decide.ts'
import { decisions } from './scenarios/decisions.ts'
import { runs } from './scenarios/runs.ts'
import { steps } from './scenarios/steps.ts'
import { streamLatency } from './scenarios/stream-latency.ts'
import { submit } from './scenarios/submit.ts'
import { up } from './scenarios/up.ts'

const SCENARIOS: Record<string, (bench: Bench) => Promise<Row[]>> = {
  up,
  steps,
  runs,
  submit,
  decide,
  decisions,
  append,
  chunks,
  'stream-latency': streamLatency,
}
const DOCUMENT = fileURLToPath(new URL('../docs/performance.md', import.meta.url))
const TABLE = /(<!-- table -->\n)[\s\S]*(<!-- end of table -->)/

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' }, write: { type: 'boolean', default: false } },
})
const names = positionals.length > 0 ? positionals : Object.keys(SCENARIOS)
const folder = mkdtempSync(join(tmpdir(), 'devflow-bench-'))
const rows: Row[] = []
let current: Bench | undefined
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void current?.close().finally(() => process.exit(1)))
for (const name of names) {
  const scenario = SCENARIOS[name]
  if (!scenario)
    throw new Error(`there is no scenario ${name}; there are ${Object.keys(SCENARIOS).join(', ')}`)
  // A stack of its own for each: what one leaves behind does not weigh on the next.
  const bench = new Bench(join(folder, name), Number(values.rounds))
  current = bench
  console.error(`${name} … (load ${loadavg()[0]?.toFixed(1)})`)
  try {
    const measured = await scenario(bench)
    console.error(table(measured))
    rows.push(...measured)
  } finally {
    await bench.close()
  }
}
const text = `${machine(folder)}\n\n${table(rows)}\n`
rmSync(folder, { recursive: true, force: true })
console.log(text)
if (values.write) writeFileSync(DOCUMENT, readFileSync(DOCUMENT, 'utf8').replace(TABLE, `$1${text}$2`))

function machine(on: string): string {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  const cores = `${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`
  const load = loadavg().map((value) => value.toFixed(1))
  return `${cores}; a write to the disk (fdatasync) takes ${fsyncMs(on).toFixed(2)} ms; load averages at the end ${load.join(', ')}; Node ${process.version}; commit ${commit}; medians of ${values.rounds} rounds.`
}
