import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROOT } from './sources.ts'

let checkout = ''
beforeAll(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'devflow-lint-'))
  for (const file of ['biome.json', 'packages/workflows/no-randomness.grit'])
    await cp(join(ROOT, file), join(checkout, file), { recursive: true })
})
afterAll(() => rm(checkout, { recursive: true, force: true }))

/** What the project's own lint says of a file with this text. */
async function lint(path: string, text: string): Promise<string[]> {
  const file = join(checkout, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
  const printed = await new Promise<string>((resolve) => {
    const biome = join(ROOT, 'node_modules/@biomejs/biome/bin/biome')
    execFile(process.execPath, [biome, 'lint', '--reporter=json', path], { cwd: checkout }, (_, stdout) =>
      resolve(stdout),
    )
  })
  const { diagnostics } = JSON.parse(printed) as { diagnostics: { category: string; severity: string }[] }
  return diagnostics.filter(({ severity }) => severity === 'error').map(({ category }) => category)
}

const REFUSED: [what: string, text: string, rule: string][] = [
  ['a clock', 'export const at = Date.now()\n', 'lint/style/noRestrictedGlobals'],
  ['a date', 'export const at = new Date()\n', 'lint/style/noRestrictedGlobals'],
  ['a timer of Node', 'export const timer = setTimeout(() => {}, 1)\n', 'lint/style/noRestrictedGlobals'],
  ['the process', 'export const home = process.env.HOME\n', 'lint/style/noRestrictedGlobals'],
  ['the crypto global', 'export const id = crypto.randomUUID()\n', 'lint/style/noRestrictedGlobals'],
  ['randomness', 'export const n = Math.random()\n', 'plugin'],
  ['randomness by another name', 'const { random } = Math\nexport const n = random()\n', 'plugin'],
  ['a module of Node', "export { readFileSync } from 'node:fs'\n", 'lint/correctness/noNodejsModules'],
  [
    'a module of Node without its scheme',
    "export { readFileSync } from 'fs'\n",
    'lint/correctness/noNodejsModules',
  ],
  ["Temporal's client", "export { Client } from '@temporalio/client'\n", 'lint/style/noRestrictedImports'],
  ['another package of ours', "export { submitRun } from '@devflow/db'\n", 'lint/style/noRestrictedImports'],
]

test.for(REFUSED)('a workflow that uses %s is refused by lint', async ([, text, rule]) => {
  expect(await lint('packages/workflows/src/bad.ts', text)).toContain(rule)
})

test('a workflow that uses the SDK, arithmetic and the types of the contracts is not', async () => {
  const text = `import type { Plan } from '@devflow/contracts'
import { sleep } from '@temporalio/workflow'

export async function wait(plan: Plan, ms: number): Promise<void> {
  await sleep(Math.max(1, Math.ceil(ms / plan.steps.length)))
}
`
  expect(await lint('packages/workflows/src/good.ts', text)).toEqual([])
})

test('the ban is for workflows: an activity may look at the clock', async () => {
  expect(await lint('packages/activities/src/clock.ts', 'export const at = Date.now()\n')).toEqual([])
})
