// node tests/screenshots/screenshots.ts: starts a stack of its own, makes runs in the states that the documents speak of, and takes
// pictures of them in the Temporal UI into docs/images.
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { DevflowClient } from '@devflow/client'
import { startFakeOpenRouter } from '@devflow/testing'
import { startRealStack } from '../real/stack.ts'
import { makeRuns } from './runs.ts'
import { TemporalUi } from './temporal-ui.ts'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']

function findBrowser({ CHROMIUM, PATH = '' }: NodeJS.ProcessEnv): string | undefined {
  if (CHROMIUM) return CHROMIUM
  return PATH.split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find((path) => existsSync(path))
}

const browser = findBrowser(process.env)
if (browser === undefined) {
  process.stderr.write('There is no Chromium on PATH: install one, or name its program in CHROMIUM.\n')
  process.exit(2)
}

const ended = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => ended.abort(new Error(`Ended by ${signal}.`)))

const folder = await mkdtemp(join(tmpdir(), 'devflow-screenshots-'))
const provider = await startFakeOpenRouter()
try {
  const env = { OPENROUTER_API_KEY: 'sk-or-v1-of-nobody', OPENROUTER_BASE_URL: provider.baseURL }
  const stack = await startRealStack(join(folder, 'data'), env, ended.signal)
  try {
    await takeAll(stack.api, stack.temporalUi, browser)
  } finally {
    await stack.stop()
  }
} finally {
  await provider.close()
  await rm(folder, { recursive: true, force: true })
}

async function takeAll(api: string, temporalUi: string, program: string): Promise<void> {
  const { nested, waiting, undoing } = await makeRuns(new DevflowClient({ baseUrl: api }))
  const ui = await TemporalUi.open(temporalUi, program)
  try {
    await ui.takeDetails('temporal-undoing', undoing, 'being undone')
    await ui.takeHistory('temporal-nested', nested, 'check[2]')
    await ui.takeDetails('temporal-nested-details', nested, 'Open gate')
    await ui.takeHistory('temporal-run', waiting, 'until approve is due')
    await ui.takeDetails('temporal-details', waiting, 'Open gate')
    await ui.chooseColumns()
    await ui.takeList('temporal-list', 6)
    await ui.takeList(
      'temporal-search',
      2,
      "DevflowPhase = 'approve' AND DevflowTemplate = 'spec-and-review@1'",
    )
  } finally {
    await ui.close()
  }
}
