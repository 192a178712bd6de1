import { once } from 'node:events'
import { createServer } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { CLI_MAIN, runCommand } from '../support/command-line.ts'
import { hasTmux, openTerminal } from '../support/terminal.ts'

const RUN = '01a1fcf2-2a01-7f12-88ec-d2e58ece30cc'

const PREVIEW = {
  definitionHash: 'a'.repeat(64),
  bindings: { writer: 'writer@1' },
  phases: [
    {
      ...{ id: 'spec', kind: 'agent', persona: 'writer@1', model: 'deepseek/deepseek-chat' },
      estimate: { tokens: 12_000, microUsd: { low: 1_200, high: 45_000 } },
    },
    { id: 'approve', kind: 'gate' },
  ],
  budget: { limitMicroUsd: 500_000 },
  warnings: ['The budget may not do.'],
}

/** An API as it will be once it previews: this build's own has none yet. */
async function previewingApi() {
  const submitted: string[] = []
  const server = createServer((request, response) => {
    const isPreview = request.url === '/v1/runs/preview'
    if (!isPreview) submitted.push(`${request.method} ${request.url}`)
    response.writeHead(isPreview ? 200 : 201, { 'content-type': 'application/json' })
    response.end(JSON.stringify(isPreview ? PREVIEW : { id: RUN, status: 'queued' }))
  }).listen(0, '127.0.0.1')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return { env: { DEVFLOW_URL: `http://127.0.0.1:${port}` }, submitted }
}

const ARGS = ['run', 'spec@1', '--detach']

test('the cost is shown before a run is submitted; nobody is asked without a terminal', async () => {
  const { env, submitted } = await previewingApi()
  const { code, stdout } = await runCommand(ARGS, { env })
  expect(code).toBe(0)
  expect(stdout.split('\n').slice(0, 5)).toEqual([
    'What it may cost of $0.50',
    'PHASE    BY        MODEL                   TOKENS                COST',
    'spec     writer@1  deepseek/deepseek-chat  12,000  $0.0012 to $0.0450',
    'approve  gate',
    '! The budget may not do.',
  ])
  expect(submitted).toEqual(['POST /v1/runs'])
})

test.runIf(hasTmux).each([
  ['n', 130, []],
  ['y', 0, ['POST /v1/runs']],
])('in a terminal it asks: %s', async (key, code, sent) => {
  const { env, submitted } = await previewingApi()
  const terminal = await openTerminal(`"${process.execPath}" "${CLI_MAIN}" ${ARGS.join(' ')}`, {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
  })
  await terminal.until((screen) => screen.includes('Submit the run?'))
  await terminal.press(key)
  expect(await terminal.until((screen) => screen.includes('exit='))).toContain(`exit=${code}`)
  expect(submitted).toEqual(sent)
})

test.runIf(hasTmux)('--yes does not ask', async () => {
  const { env, submitted } = await previewingApi()
  const command = `"${process.execPath}" "${CLI_MAIN}" ${ARGS.join(' ')} --yes`
  const terminal = await openTerminal(command, {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
  })
  expect(await terminal.until((screen) => screen.includes('exit='))).toContain('exit=0')
  expect(submitted).toEqual(['POST /v1/runs'])
})
