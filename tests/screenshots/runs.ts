// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what expressions look like
import { setTimeout as pause } from 'node:timers/promises'
import type { DevflowClient } from '@devflow/client'

const PATIENCE_MS = 120_000

const persona = (id: string, title: string) => ({
  kind: 'persona',
  id,
  title,
  capabilities: [id.replace(/@.*/, '')],
  model: { provider: 'openrouter', name: 'deepseek/deepseek-chat', maxOutputTokens: 500 },
  instructions: 'Do the work.',
  tools: ['list_dir', 'complete'],
})

/** Agents are played by the stand-in for OpenRouter, by what stands in brackets. */
const SLOW = '[turns=3][chunks=60][chunkDelayMs=2000]'

const RELEASE = {
  kind: 'template',
  id: 'release@1',
  title: 'Prepare a release',
  input: { type: 'object', properties: { platforms: { type: 'array', items: { type: 'string' } } } },
  roles: { writer: { persona: 'writer@1' }, tester: { persona: 'tester@1' } },
  budget: { limitMicroUsd: 2_000_000 },
  phases: [
    { id: 'plan', agent: { role: 'writer', prompt: 'Plan the release. [turns=4]' } },
    {
      id: 'prepare',
      parallel: {
        branches: [
          [
            { id: 'notes', agent: { role: 'writer', prompt: 'Write the notes. [turns=2]' } },
            {
              id: 'wording',
              gate: { title: 'Are the notes good?', deadline: 'P3D', onDeadline: { then: 'reject' } },
            },
          ],
          [
            {
              id: 'platforms',
              map: {
                over: '${{ input.platforms }}',
                concurrency: 3,
                phases: [{ id: 'check', agent: { role: 'tester', prompt: `Check it. ${SLOW}` } }],
              },
            },
          ],
        ],
      },
    },
    { id: 'publish', gate: { title: 'Publish?' } },
  ],
}

/** Calls take long enough to be looked at. */
const BOOKING = `export default async ({ ms }: { ms: number }) => {
  await new Promise((on) => setTimeout(on, ms))
  return { done: true }
}`

const step = (id: string) => ({
  id,
  function: { name: 'booking@1', input: { ms: 50 } },
  compensate: { function: 'booking@1', input: { ms: '${{ input.undoingMs }}' } },
})

const TRIP = {
  kind: 'template',
  id: 'trip@1',
  title: 'Book a trip',
  input: { type: 'object', properties: { undoingMs: { type: 'integer' } } },
  phases: [step('flight'), step('hotel'), { id: 'passport', gate: { title: 'Is the passport valid?' } }],
}

const ENTRIES = [
  persona('writer@1', 'Writes'),
  persona('tester@1', 'Tests'),
  RELEASE,
  { kind: 'function', id: 'booking@1', source: BOOKING },
  TRIP,
]

const OFFLINE = {
  'spec-writer': 'offline-spec-writer@1',
  reviewer: 'offline-code-reviewer@1',
  verifier: 'offline-verifier@1',
}

/** Runs in the states that the pictures show, by what is to be seen of each. */
export interface Shown {
  /** Sessions side by side, and a gate that is open meanwhile. */
  nested: string
  waiting: string
  undoing: string
}

/** Submits them all, and waits until each stands as it is to be shown. */
export async function makeRuns(client: DevflowClient): Promise<Shown> {
  await client.registry.change({
    changes: ENTRIES.map((entry) => ({ op: 'create' as const, entry: entry as never })),
  })
  const submit = async (template: string, more: object = {}) =>
    (await client.runs.submit({ template, input: {}, ...more } as never)).id
  const spec = { input: { request: 'Describe how the tests are organised' }, bindings: OFFLINE }

  const done = await submit('spec-and-review@1', spec)
  await decided(client, done, 'approve')
  const rejected = await submit('trip@1', { input: { undoingMs: 50 } })
  await decided(client, rejected, 'passport', 'reject')
  const paused = await submit('spec-and-review@1', spec)
  await opened(client, paused, 'approve')
  await client.runs.pause(paused)

  const nested = await submit('release@1', { input: { platforms: ['linux', 'macos', 'windows', 'freebsd'] } })
  const waiting = await submit('spec-and-review@1', spec)
  await opened(client, waiting, 'approve')
  await opened(client, nested, 'wording')
  await until(
    () => client.runs.get(rejected),
    ({ status }) => status === 'failed',
  )
  const undoing = await submit('trip@1', { input: { undoingMs: 240_000 } })
  await decided(client, undoing, 'passport', 'reject')
  await until(
    () => client.runs.events(undoing),
    ({ items }) => items.some(({ type }) => type === 'compensation.started'),
  )
  return { nested, waiting, undoing }
}

async function opened(client: DevflowClient, run: string, gate: string) {
  const { items } = await until(
    () => client.gates.list({ run, status: 'open' }),
    ({ items }) => items.some(({ id }) => id === gate),
  )
  return items.find(({ id }) => id === gate)
}

async function decided(
  client: DevflowClient,
  run: string,
  gate: string,
  decision: 'approve' | 'reject' = 'approve',
): Promise<void> {
  const found = await opened(client, run, gate)
  await client.gates.decide(run, gate, { decision, subjectHash: found?.subjectHash } as never)
}

async function until<T>(look: () => PromiseLike<T>, holds: (answer: T) => boolean): Promise<T> {
  const started = performance.now()
  for (;;) {
    const answer = await look()
    if (holds(answer)) return answer
    if (performance.now() - started > PATIENCE_MS)
      throw new Error(`not so in time: ${JSON.stringify(answer)}`)
    await pause(100)
  }
}
