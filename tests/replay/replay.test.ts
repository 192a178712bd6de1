import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { replay, workflowCode } from '../support/replay.ts'
import { keptHistories } from './kept-histories.ts'

/** What the SDK brings is nearly all of it. */
const MOST_BYTES = 2_500_000

const histories = await keptHistories()

// A build must be able to take the runs of an older one over.
test('histories of every kind of run are on record', () => {
  const kinds = [
    'agent',
    'artifact',
    'canceled',
    'child',
    'cycle',
    'gate',
    'map',
    'over-budget',
    'parallel',
    'paused',
    'phase',
    'run-retried',
    'schedule',
    'spec-and-review',
    'terminated',
    'waits',
    'woken',
    'worker',
  ]
  const missing = kinds.filter((kind) => ![...histories.keys()].some((name) => name.startsWith(kind)))
  expect(missing).toEqual([])
})

test.for([...histories.keys()])('the workflow replays the history %s', async (name) => {
  const history = histories.get(name)
  expect(history && (await replay([history]))).toEqual({})
})

const changes: [what: string, from: string, to: string][] = [
  [
    'asks once more at every step',
    'const isLong = historyIsLong()',
    'await control.look({ runId: "", epoch: 1 });\n const isLong = historyIsLong()',
  ],
  [
    'asks twice at the end',
    'const concluded = await control.conclude(',
    'await control.look({ runId, epoch: begun.epoch });\n const concluded = await control.conclude(',
  ],
  [
    'sleeps where it waited',
    'else await ',
    'else await (0,_temporalio_workflow__WEBPACK_IMPORTED_MODULE_0__.sleep)(1), await ',
  ],
]
test.for(changes)('a change that %s is caught', async ([, from, to]) => {
  const code = await workflowCode()
  expect(code.split(from).length, 'the place of the change is found once').toBe(2)
  const failures = await replay([...histories.values()], code.replace(from, to))
  expect(Object.keys(failures).length).toBeGreaterThan(0)
})

test('the bundle holds our workflows and the SDK, nothing of Node, and stays small', async () => {
  const code = await workflowCode()
  const modules = [...code.matchAll(/^\/\*{3}\/ "([^"]+)":?/gm)].map(([, id = '']) => id)
  const ours = modules.filter((id) => id.startsWith('./packages/'))
  expect(ours.length).toBeGreaterThan(0)
  expect(ours.filter((id) => !id.startsWith('./packages/workflows/src/'))).toEqual([])
  const packages = new Set(
    modules.flatMap((id) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1] ?? []),
  )
  expect([...packages].sort()).toEqual([
    '@temporalio/common',
    '@temporalio/workflow',
    'long',
    'ms',
    'nexus-rpc',
  ])
  expect(modules.filter((id) => id.startsWith('node:') || builtinModules.includes(id))).toEqual([])
  expect(code.length).toBeLessThan(MOST_BYTES)
})

test.for(['node:fs', 'fs'])('a bundle that would pull in Node is refused: %s', async (name) => {
  const folder = await mkdtemp(fileURLToPath(new URL('./entry-', import.meta.url)))
  try {
    const entry = join(folder, 'entry.ts')
    await writeFile(
      entry,
      `import { readFileSync } from '${name}'\nexport const bad = () => readFileSync('x')\n`,
    )
    await expect(workflowCode(entry)).rejects.toThrow()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
