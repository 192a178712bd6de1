import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventsOf } from '../support/run-log.ts'
import { Stack } from '../support/stack.ts'
import { agentTemplate, gateTemplate } from '../support/templates.ts'

// Not `useStack`: its histories are of two builds and replay with neither.
const stack = new Stack({})
let cache: string
beforeAll(async () => {
  await stack.start()
  cache = await mkdtemp(join(tmpdir(), 'devflow-bundles-'))
})
afterAll(async () => {
  await stack.stop()
  await rm(cache, { recursive: true, force: true })
})

/** A turn of two seconds. */
const STREAMING = `[turns=0][chunks=40][chunkDelayMs=50] [[complete:"${'many words '.repeat(40)}"]]`

/** Makes the bundle in `cache` one of another build: its workflow looks at the log once more before it begins. */
async function changeBundle(): Promise<void> {
  const [name = 'no bundle'] = await readdir(cache)
  const code = await readFile(join(cache, name), 'utf8')
  const changed = code.replace(
    'const begun = await control.begin(',
    'await control.look({ runId, epoch: 0 });const begun = await control.begin(',
  )
  expect(changed).not.toBe(code)
  await writeFile(join(cache, name), changed)
}

test('runs whose histories do not replay with the workers’ build go on in a new execution, and pay nothing twice', async () => {
  await stack.startWorker({ DEVFLOW_CACHE: cache })
  const [atGate, atWork] = await Promise.all([
    stack.submit(gateTemplate()),
    stack.submit(agentTemplate(STREAMING, { then: '  - { id: ok, gate: { title: Go on? } }' })),
  ])
  await stack.untilEvent(atGate, 'gate.opened')
  await stack.untilEvent(atWork, 'turn.started')
  await stack.stopWorker()
  await changeBundle()

  await stack.startWorker({ DEVFLOW_CACHE: cache })
  await stack.decide(atGate, 'ok')
  const decided = await stack.untilStatus(atGate, 'completed')
  expect(eventsOf(decided, 'gate.decided')).toHaveLength(1)
  await stack.untilEvent(atWork, 'gate.opened')
  await stack.decide(atWork, 'ok')
  const worked = await stack.untilStatus(atWork, 'completed')
  expect(eventsOf(worked, 'run.started')).toHaveLength(1)
  expect(await stack.brokenLogs()).toEqual({})
})
