import type { RunPreview } from '@devflow/client'
import { expect, test } from 'vitest'
import { CLI_MAIN, runCommand } from '../support/command-line.ts'
import { otherServer } from '../support/other-server.ts'
import { ownEnv } from '../support/own-env.ts'
import { hasTmux, openTerminal } from '../support/terminal.ts'

const RUN = '01a1fcf2-2a01-7f12-88ec-d2e58ece30cc'

const PREVIEW: RunPreview = {
  definitionHash: 'a'.repeat(64),
  bindings: { writer: 'writer@1' },
  phases: [
    {
      ...{ id: 'spec', kind: 'agent', persona: 'writer@1', model: 'deepseek/deepseek-chat' },
      estimate: { tokens: 12_000, microUsd: { low: 1_200, high: 45_000 } },
    },
    { id: 'approve', kind: 'gate', estimate: { tokens: 0, microUsd: { low: 0, high: 0 } } },
    { id: 'rounds', kind: 'cycle', estimate: { tokens: 0, microUsd: { low: 0, high: 0 } } },
    {
      ...{ id: 'fix', kind: 'agent', persona: 'fixer@1', model: 'nobody/knows', inside: 'rounds' },
      estimate: { tokens: 700, microUsd: { low: 0 } },
    },
  ],
  total: { tokens: 12_700, microUsd: { low: 1_200, high: 500_000 } },
  budget: { limitMicroUsd: 500_000 },
  warnings: [{ code: 'unpriced_model', message: 'The price of nobody/knows is not known.', blocks: true }],
}

/** An API that knows this one preview, and takes every run. */
async function previewingApi(preview: RunPreview = PREVIEW) {
  const submitted: string[] = []
  const url = await otherServer((request, response) => {
    const isPreview = request.url === '/v1/runs/preview'
    if (!isPreview) submitted.push(`${request.method} ${request.url}`)
    response.writeHead(isPreview ? 200 : 201, { 'content-type': 'application/json' })
    response.end(JSON.stringify(isPreview ? preview : { id: RUN, status: 'queued' }))
  })
  return { env: { DEVFLOW_URL: url }, submitted }
}

const ARGS = ['run', 'spec@1', '--detach']

test('the cost is shown before a run is submitted; nobody is asked without a terminal', async () => {
  const { env, submitted } = await previewingApi()
  const { code, stdout } = await runCommand(ARGS, { env })
  expect(code).toBe(0)
  expect(stdout.split('\n').slice(0, 8)).toEqual([
    'What it may cost of $0.50',
    'PHASE    BY        MODEL                   TOKENS                COST',
    'spec     writer@1  deepseek/deepseek-chat  12,000  $0.0012 to $0.0450',
    'approve  gate',
    'rounds   cycle',
    '· fix    fixer@1   nobody/knows               700       $0.00 or more',
    'all                                        12,700    $0.0012 to $0.50',
    '! The price of nobody/knows is not known.',
  ])
  expect(submitted).toEqual(['POST /v1/runs'])
})

test('in Korean too', async () => {
  const { env } = await previewingApi()
  const { stdout } = await runCommand([...ARGS, '--lang', 'ko'], { env })
  expect(stdout).toContain('예상 비용 / $0.50')
  expect(stdout).toMatch(/· fix +fixer@1 +nobody\/knows +700 +\$0.00 이상\n합계 +12,700 +\$0.0012 ~ \$0.50\n/)
})

test('with --json nothing but JSON is printed', async () => {
  const { env, submitted } = await previewingApi()
  const { stdout } = await runCommand([...ARGS, '--json'], { env })
  expect(JSON.parse(stdout)).toEqual({ id: RUN, status: 'queued' })
  expect(submitted).toEqual(['POST /v1/runs'])
})

test.runIf(hasTmux).each([
  ['n', 130, []],
  ['y', 0, ['POST /v1/runs']],
])('in a terminal it asks: %s', async (key, code, sent) => {
  const { env, submitted } = await previewingApi()
  const terminal = await openTerminal(`"${process.execPath}" "${CLI_MAIN}" ${ARGS.join(' ')}`, {
    env: { ...ownEnv(), ...env },
  })
  const screen = await terminal.until((shown) => shown.includes('Submit the run?'))
  expect(screen).toMatch(/^all +12,700 +\$0.0012 to \$0.50$/m)
  await terminal.press(key)
  expect(await terminal.until((screen) => screen.includes('exit='))).toContain(`exit=${code}`)
  expect(submitted).toEqual(sent)
})

test.runIf(hasTmux)('what costs nothing is shown and not asked about', async () => {
  const estimate = { tokens: 900, microUsd: { low: 0, high: 0 } }
  const phases = [{ id: 'spec', kind: 'agent', persona: 'offline@1', model: 'rules', estimate }]
  const { env, submitted } = await previewingApi({ ...PREVIEW, phases, total: estimate, warnings: [] })
  const terminal = await openTerminal(`"${process.execPath}" "${CLI_MAIN}" ${ARGS.join(' ')}`, {
    env: { ...ownEnv(), ...env },
  })
  expect(await terminal.until((screen) => screen.includes('exit='))).toMatch(
    /^spec +offline@1 +rules +900 +\$0.00$/m,
  )
  expect(submitted).toEqual(['POST /v1/runs'])
})

test.runIf(hasTmux)('--yes does not ask', async () => {
  const { env, submitted } = await previewingApi()
  const command = `"${process.execPath}" "${CLI_MAIN}" ${ARGS.join(' ')} --yes`
  const terminal = await openTerminal(command, {
    env: { ...ownEnv(), ...env },
  })
  expect(await terminal.until((screen) => screen.includes('exit='))).toContain('exit=0')
  expect(submitted).toEqual(['POST /v1/runs'])
})
