// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what expressions look like
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_TENANT, TEMPORAL } from '@devflow/contracts'
import { readRun } from '@devflow/db'
import { describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { callTemplate } from '../support/functions.ts'
import { eventOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { agentTemplate, failing, flowTemplate, gateTemplate, scriptedTemplate } from '../support/templates.ts'

const CONSOLE = 'https://devflow.example/console'
const stack = useStack({ DEVFLOW_PUBLIC_URL: `${CONSOLE}/` })

const long = { turns: [{ reply: 'many words '.repeat(200), chunks: 2000, chunkDelayMs: 10 }] }

/** Waits until a list query finds the run, as the Temporal UI asks it. */
async function isFound(run: string, query: string): Promise<void> {
  const ids = await eventually(
    async () => {
      const found: string[] = []
      for await (const { workflowId } of stack.client.workflow.list({ query })) found.push(workflowId)
      return found
    },
    (found) => found.includes(TEMPORAL.workflowId(run)),
    // Temporal's lists lag behind its workflows, and the more the busier it is: with looking at them, too.
    { patienceMs: 60_000, pauseMs: 100 },
  )
  expect(new Set(ids).size, 'each workflow once').toBe(ids.length)
}

/** The query that finds a run of this status, at this step, and no other. */
const at = (run: string, status: string, phase?: string): string =>
  `DevflowRun = '${run}' AND DevflowStatus = '${status}' AND DevflowPhase ${phase === undefined ? 'IS NULL' : `= '${phase}'`}`

const detailsOf = async (run: string): Promise<string> =>
  (await stack.workflow(run).query<{ currentDetails: string }>('__temporal_workflow_metadata')).currentDetails

const untilDetails = (run: string, text: string): Promise<string> =>
  eventually(
    () => detailsOf(run),
    (details) => details.includes(text),
  )

describe.concurrent('a list query of Temporal finds', () => {
  test('a run by its template, tenant, status, step and persona, alone and together', async () => {
    const run = await stack.submit(
      scriptedTemplate({ turns: [{ reply: 'Done.' }] }, { then: '  - { id: ok, gate: { title: Go on? } }' }),
    )
    await isFound(run, at(run, 'waiting', 'ok'))
    for (const query of [
      `DevflowRun = '${run}'`,
      `DevflowTemplate = 'scripted@1'`,
      `DevflowTenant = '${DEFAULT_TENANT}'`,
      `DevflowStatus = 'waiting'`,
      `DevflowPhase = 'ok'`,
      `DevflowPersona = 'player@1'`,
      `DevflowPersonas = 'player@1'`,
      `WorkflowType = 'runWorkflow' AND ExecutionStatus = 'Running' AND DevflowTemplate IN ('scripted@1', 'other@1')`,
    ])
      await isFound(run, query)
    await stack.decide(run, 'ok')
    await isFound(run, `${at(run, 'completed')} AND ExecutionStatus = 'Completed'`)
  })

  test('a run by everybody who plays side by side in it, and by the step that holds them', async () => {
    const branches = `[[{ id: left, agent: { role: a, prompt: x } }], [{ id: ok, gate: { title: Go on? } }, { id: right, agent: { role: b, prompt: x } }]]`
    const run = await stack.submit(
      flowTemplate(`  - { id: both, parallel: { branches: ${branches} } }`, { a: long }),
    )
    await stack.untilEvent(run, 'call.reserved')
    // A gate is open, but something of it runs.
    for (const persona of ['a@1', 'b@1'])
      await isFound(run, `${at(run, 'running', 'both')} AND DevflowPersonas = '${persona}'`)
    await isFound(run, `${at(run, 'running', 'both')} AND DevflowPersona = 'a@1'`)
    await stack.command(run, 'cancel')
    await isFound(run, `${at(run, 'canceled')} AND DevflowPersonas = 'b@1'`)
  })

  test('a run that waits inside a map and a cycle, or is paused there', async () => {
    const run = await stack.submit(
      flowTemplate(`
  - id: each
    map: { over: [1, 2], phases: [{ id: ask, gate: { title: Go on? } }] }
  - id: loop
    cycle: { max: 2, phases: [{ id: go, wait: { signal: go } }] }
`),
    )
    await isFound(run, at(run, 'waiting', 'each'))
    const details = await untilDetails(run, '2 open gates')
    expect(details).toContain(`[\`ask[1]\`](${CONSOLE}/runs/${run}?gate=ask%5B1%5D)`)
    await stack.decide(run, 'ask[0]')
    await stack.decide(run, 'ask[1]')
    await isFound(run, at(run, 'waiting', 'loop'))
    expect(await detailsOf(run)).not.toContain('open gate')
    await stack.command(run, 'pause')
    await isFound(run, at(run, 'paused', 'loop'))
    await stack.command(run, 'resume')
    await isFound(run, at(run, 'waiting', 'loop'))
    for (const id of ['1', '2']) await stack.signal(run, 'go', id)
    await isFound(run, at(run, 'completed'))
  })

  test('a run and the run it has started; each shows the way to the other', async () => {
    const run = await stack.submit(`
kind: template
id: parent@1
phases:
  - { id: sub, workflow: { template: child@1 } }
---
kind: template
id: child@1
phases:
  - { id: ok, gate: { title: Go on? } }
`)
    const child = String(eventOf(await stack.untilEvent(run, 'child.started'), 'child.started').data.run)
    stack.runs.push(child)
    await isFound(child, `${at(child, 'waiting', 'ok')} AND DevflowTemplate = 'child@1'`)
    await isFound(run, `${at(run, 'waiting', 'sub')} AND DevflowTemplate = 'parent@1'`)
    await untilDetails(run, `Waits for the run [\`${child}\`](${CONSOLE}/runs/${child})`)
    await untilDetails(child, `Started by the run [\`${run}\`](${CONSOLE}/runs/${run})`)
    await stack.decide(child, 'ok')
    await isFound(run, at(run, 'completed'))
    await isFound(child, at(child, 'completed'))
  })

  test('paused, failed and canceled runs', async () => {
    const [paused, canceled, failed] = await Promise.all([
      stack.submit(gateTemplate()),
      stack.submit(gateTemplate()),
      stack.submit(scriptedTemplate({ turns: [failing] })),
    ])
    await Promise.all([paused, canceled].map((run) => isFound(run, at(run, 'waiting', 'ok'))))
    await stack.command(paused, 'pause')
    await stack.command(canceled, 'cancel')
    await isFound(paused, at(paused, 'paused', 'ok'))
    expect(await detailsOf(paused)).toContain('Open gate')
    await isFound(canceled, at(canceled, 'canceled'))
    await isFound(failed, at(failed, 'failed'))
    await stack.command(paused, 'resume')
    await isFound(paused, at(paused, 'waiting', 'ok'))
    await stack.command(paused, 'cancel')
    await isFound(paused, at(paused, 'canceled'))
  })

  test('a run that is being undone, until it is over', async ({ onTestFinished }) => {
    const folder = await mkdtemp(join(tmpdir(), 'devflow-undoing-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const file = join(folder, 'held')
    await writeFile(file, 'until the list has been read')
    const source = `import { readFileSync } from 'node:fs'
    export default async (input) => {
      while (input?.file && readFileSync(input.file, 'utf8') !== '') await new Promise((on) => setTimeout(on, 100))
    }`
    const run = await stack.submit(
      callTemplate(source, {
        entry: { permissions: { read: [file] } },
        phase: { compensate: { function: 'fn@1', input: { file } } },
        then: [{ id: 'hang', wait: { for: 'PT1H' } }],
      }),
    )
    await stack.untilEvent(run, 'wait.opened')
    await stack.command(run, 'cancel')
    await isFound(run, at(run, 'compensating', 'hang'))
    expect(await detailsOf(run)).toContain('is **being undone, and then canceled** at `hang`')
    await writeFile(file, '')
    await isFound(run, at(run, 'canceled'))
    expect(await detailsOf(run)).toContain('is **canceled**')
  })
})

test('the details tell what is spent, the open gate and where to decide it, and take no events of history', async () => {
  const run = await stack.submit(
    agentTemplate('[turns=1]', { then: '  - { id: ok, gate: { title: Go on? } }' }),
    {
      budget: { limitMicroUsd: 2_000_000, onExceeded: 'block' },
    },
  )
  await isFound(run, at(run, 'waiting', 'ok'))
  const details = await detailsOf(run)
  const spent = (await readRun(stack.pool, DEFAULT_TENANT, run))?.usage.costMicroUsd ?? 0
  expect(spent).toBeGreaterThan(0)
  const [facts, gate, ...steps] = details.split('\n\n')
  const shown = /^\*\*Work\*\* is \*\*waiting\*\* at `ok` · (\S+) of 2\.00 USD spent · (.+)$/.exec(
    facts ?? '',
  )
  expect(Number(shown?.[1]) * 1e6).toBeCloseTo(spent, 0)
  expect(shown?.[2]).toBe(`[console](${CONSOLE}/runs/${run})`)
  expect(gate).toBe(`Open gate: [\`ok\`](${CONSOLE}/runs/${run}?gate=ok)`)
  expect(steps).toEqual(['- `work` (agent): done\n- `ok` (gate): waiting for a decision'])
  await stack.decide(run, 'ok')
  await stack.untilQuiet(run)
  expect(await detailsOf(run)).toMatch(/is \*\*completed\*\* · 0\.\d+ of 2\.00 USD spent/)
  const { events } = await stack.workflow(run).fetchHistory()
  const changes = events?.filter((event) => event.upsertWorkflowSearchAttributesEventAttributes)
  expect(changes, 'running, waiting, completed').toHaveLength(3)
})
