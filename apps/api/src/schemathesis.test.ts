import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { putBlob, sha256 } from '@devflow/db'
import { expect, onTestFinished, test } from 'vitest'
import { listen } from './listen.ts'
import { REPORT } from './report-example.ts'
import { COMPLETED, FAILED, gateOpened, STARTED, type TestApi, testApi } from './test-api.fixture.ts'

const run = promisify(execFile)
const program = process.env.DEVFLOW_SCHEMATHESIS ?? 'schemathesis'
const seconds = Number(process.env.DEVFLOW_SCHEMATHESIS_SECONDS ?? 30)
/** The usual short look is the same each time; a longer one looks elsewhere each time. */
const seed = process.env.DEVFLOW_SCHEMATHESIS_SECONDS === undefined ? ['--seed', '1'] : []

async function isThere(): Promise<boolean> {
  try {
    await run(program, ['--version'])
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}

/** A run in each state, so that there is something behind the ids that are tried. */
async function seedRuns(api: TestApi): Promise<string[]> {
  const [queued, running, gated, failed, over] = await Promise.all(
    Array.from({ length: 5 }, async () => (await api.submit()).id),
  )
  if (!queued || !running || !gated || !failed || !over) throw new Error('five were submitted')
  const json = JSON.stringify(REPORT)
  const report = { sha256: await putBlob(api.deps.pool, over, json), bytes: Buffer.byteLength(json) }
  const artifact = { name: 'report.json', version: 1, mediaType: 'application/json', ...report }
  expect(report.sha256).toBe(sha256(json))
  await api.append(running, ...STARTED)
  await api.append(gated, ...STARTED, { ...gateOpened(), phase: 'pause', key: 'pause/1/opened' })
  await api.append(failed, ...STARTED, FAILED)
  const written = { type: 'report.written', key: 'round/1/report', data: { artifacts: [artifact] } }
  await api.append(over, ...STARTED, written, COMPLETED)
  return [queued, running, gated, failed, over]
}

/** Half of what is tried is there; deletion takes what it finds, and must not take these. */
const dictionaries = (runs: string[]) => `
[dictionaries]
runs = { values = ${JSON.stringify(runs)} }
templates = { values = ["test/echo@1", "test/gate@1"] }
keys = { values = ${JSON.stringify(Array.from({ length: 1_000 }, (_, index) => `key-${index}`))} }

[parameters]
"header.Prefer" = "wait=0"
"header.Idempotency-Key" = { dictionary = "keys", probability = 0.9 }

[[operations]]
include-path-regex = "^/v1/runs/"
exclude-method = "DELETE"
parameters = { "path.id" = { dictionary = "runs", probability = 0.5 } }

[[operations]]
include-operation-id = "submitRun"
parameters = { "body.template" = { dictionary = "templates", probability = 0.5 } }
`

test(
  'Schemathesis finds no server error and no answer that is not stated',
  async ({ skip }) => {
    if (!(await isThere())) {
      const how = 'pip install schemathesis, and name it in DEVFLOW_SCHEMATHESIS where it is not on the PATH'
      console.warn(`Not tried: schemathesis is not installed: ${how}.`)
      skip()
    }
    const api = await testApi({ OPENROUTER_API_KEY: 'sk-or-v1-none-none' })
    const { port, close } = await listen(api.api, { host: '127.0.0.1', port: 0 })
    onTestFinished(async () => {
      api.close()
      await close()
    })
    const settings = await readFile(new URL('./schemathesis.toml', import.meta.url), 'utf8')
    const file = join(api.folder, 'schemathesis.toml')
    await writeFile(file, settings + dictionaries(await seedRuns(api)))
    const options = [
      '--max-time',
      String(seconds),
      '--max-examples',
      '15',
      '--request-timeout',
      '10',
      ...seed,
    ]
    const where = ['--config-file', file, 'run', `http://127.0.0.1:${port}/openapi.json`]
    const told = await run(program, [...where, '--continue-on-failure', ...options], {
      cwd: api.folder,
      maxBuffer: 64 * 1024 * 1024,
    }).catch((error: Error & { stdout?: string; stderr?: string }) => {
      throw new Error(`${error.stdout}\n${error.stderr}`, { cause: error })
    })
    const [, selected = '0', all = '0'] = /Selected: (\d+)\/(\d+)/.exec(told.stdout) ?? []
    expect(Number(selected), told.stdout).toBeGreaterThan(25)
    // The stream over all runs has no end.
    expect(Number(all) - Number(selected)).toBe(1)
    expect(api.logged.filter((line) => !line.includes('not_ready'))).toEqual([])
  },
  60_000 + seconds * 2_000,
)
