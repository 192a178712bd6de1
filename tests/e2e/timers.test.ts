// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what expressions look like
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DevflowClient } from '@devflow/client'
import { afterAll, expect, inject, test } from 'vitest'
import { startApi } from '../support/api-process.ts'
import { eventually } from '../support/eventually.ts'
import type { LogLine, Standing } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { failing, scriptedPersona } from '../support/templates.ts'

const stack = useStack()
const folder = await mkdtemp(join(tmpdir(), 'devflow-timers-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

/** An hour lasts so long here. */
const HOUR_MS = 250
const hours = (count: number): string => `PT${(count * HOUR_MS) / 1000}S`

/** A day of one run: it begins when it is told to, rests, asks people, tries again, gives something up. */
const DAY = `
kind: template
id: timed/day@1
input: { type: object, properties: { at: { type: string } } }
roles: { worker: { persona: tired@1 } }
phases:
  - { id: morning, wait: { until: "\${{ input.at }}" } }
  - { id: rest, wait: { for: ${hours(3)} } }
  - id: ask
    gate:
      title: Go on?
      approvers: ["principal:ann"]
      remindEvery: ${hours(4)}
      deadline: ${hours(6)}
      onDeadline: { escalateTo: [{ to: ["principal:bob"] , after: ${hours(2)} }, { to: ["principal:cyd"], after: ${hours(3)} }], then: approve }
  - { id: work, agent: { role: worker, prompt: Work. }, retry: { maxAttempts: 3, backoff: ${hours(1)} } }
  - { id: never, wait: { signal: never }, timeout: ${hours(2)}, onError: continue }
  - { id: both, parallel: { branches: [[{ id: short, wait: { for: ${hours(1)} } }], [{ id: long, wait: { for: ${hours(2)} } }]] } }
${scriptedPersona('tired@1', { phases: { work: { attempts: [[failing], [failing], [{ reply: 'Done.' }]] } } })}`

/** What a day leaves, in this order and each once; reminders apart, of which there are more where nobody could escalate. */
const COURSE = [
  ...['wait.closed morning', 'wait.closed rest'],
  ...['gate.opened ask', 'gate.escalated ask', 'gate.escalated ask', 'gate.expired ask', 'gate.closed ask'],
  ...[
    'phase.failed work',
    'phase.retried work',
    'phase.failed work',
    'phase.retried work',
    'phase.completed work',
  ],
  ...['phase.failed never', 'wait.closed short', 'wait.closed long', 'run.completed null'],
]

const QUICK = `
kind: template
id: timed/quick@1
phases: [{ id: nap, wait: { for: PT0.01S } }]
`

test('the timers of a day fire once, in order and never early, though its workers are killed again and again', async () => {
  await writeFile(join(folder, 'quick.yaml'), QUICK)
  const api = await startApi({
    DATABASE_URL: stack.databaseUrl,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: stack.client.options.namespace,
    DEVFLOW_ENTRIES: folder,
  })
  try {
    const client = new DevflowClient({ baseUrl: api.url })
    const submit = { template: 'timed/quick@1', labels: { at: '${{ schedule.at }}' } }
    await client.schedules.put('hourly', {
      spec: { intervals: [{ every: 'PT1S' }] },
      submit,
      overlap: 'allow_all',
      remaining: 6,
    })
    const begins = [4, 6, 8].map((hour) => new Date(Date.now() + hour * HOUR_MS))
    const runs = await Promise.all(begins.map((at) => stack.submit(DAY, { input: { at: at.toISOString() } })))
    const [first = ''] = runs
    // Each time when somebody has just begun to wait, and with nobody there while the time comes.
    await killedUntilPast(first, 'gates', 'ask', 'gate.opened')
    await killedUntilPast(first, 'gates', 'ask', 'gate.escalated')
    await killedUntilPast(first, 'phases', 'work', 'phase.retried')
    const ends = await Promise.all(
      runs.map((run) =>
        stack.until(run, ({ status }) => status === 'completed' || status === 'failed', 150_000),
      ),
    )
    for (const [nth, end] of ends.entries()) {
      expect(courseOf(end)).toEqual(COURSE)
      expectNoneEarly(end, begins[nth] ?? new Date(0))
    }

    const made = await eventually(
      () => Array.fromAsync(client.runs.list({ template: 'timed/quick@1' })),
      ({ length }) => length >= 6,
      { patienceMs: 60_000 },
    )
    expect(made).toHaveLength(6)
    expect(new Set(made.map(({ labels }) => labels.at)).size).toBe(6)
    for (const { labels, createdAt } of made)
      expect(Date.parse(createdAt)).toBeGreaterThanOrEqual(Date.parse(labels.at ?? ''))
  } finally {
    await api.stop()
  }
}, 240_000)

/** Kills the worker once the run has such an event, and starts another when what it waits for is overdue. */
async function killedUntilPast(
  run: string,
  table: 'phases' | 'gates',
  id: string,
  type: string,
): Promise<void> {
  const has = ({ type: other, phase }: LogLine) => other === type && phase === id
  await stack.until(run, ({ events }) => events.some(has), 60_000)
  await stack.worker.kill()
  const due = table === 'gates' ? 'deadline' : 'coalesce(retry_at, deadline)'
  await eventually(
    async () => {
      const { rows } = await stack.pool.query<{ isPast: boolean }>(
        `select coalesce(${due} < clock_timestamp(), true) as "isPast" from devflow.${table} where run_id = $1 and id = $2`,
        [run, id],
      )
      return rows[0]?.isPast
    },
    (isPast) => isPast === true,
  )
  await stack.startWorker()
}

const courseOf = ({ events }: Standing): string[] =>
  events.map(({ type, phase }) => `${type} ${phase}`).filter((entry) => COURSE.includes(entry))

/** Between what begins to wait and what it waits for lies at least the time that the template says. */
function expectNoneEarly(end: Standing, begins: Date): void {
  const at = (type: string, phase: string, nth = 1): number => {
    const found = end.events.filter((event) => event.type === type && event.phase === phase)[nth - 1]
    if (!found) throw new Error(`no ${type} of ${phase}, the ${nth}.`)
    return found.at.getTime()
  }
  const lasted: [string, from: number, to: number, hours: number][] = [
    ['until', begins.getTime(), at('wait.closed', 'morning'), 0],
    ['for', at('wait.opened', 'rest'), at('wait.closed', 'rest'), 3],
    ['deadline', at('gate.opened', 'ask'), at('gate.escalated', 'ask'), 6],
    ['first step', at('gate.escalated', 'ask'), at('gate.escalated', 'ask', 2), 2],
    ['second step', at('gate.escalated', 'ask', 2), at('gate.expired', 'ask'), 3],
    ['back-off', at('phase.failed', 'work'), at('phase.started', 'work', 2), 1],
    ['twice the back-off', at('phase.failed', 'work', 2), at('phase.started', 'work', 3), 2],
    ['timeout', at('wait.opened', 'never'), at('phase.failed', 'never'), 2],
    ['short branch', at('wait.opened', 'short'), at('wait.closed', 'short'), 1],
    ['long branch', at('wait.opened', 'long'), at('wait.closed', 'long'), 2],
  ]
  for (const [what, from, to, atLeast] of lasted)
    expect({ what, isEarly: to - from < atLeast * HOUR_MS }).toEqual({ what, isEarly: false })
  const reminders = end.events.filter(({ type }) => type === 'gate.reminded')
  expect(reminders.length).toBeGreaterThan(0)
  for (const [index, { at: reminded, data }] of reminders.entries()) {
    expect(data.nth).toBe(index + 1)
    const from = reminders[index - 1]?.at.getTime() ?? at('gate.opened', 'ask')
    expect(reminded.getTime() - from).toBeGreaterThanOrEqual(4 * HOUR_MS)
    expect(reminded.getTime()).toBeLessThan(at('gate.closed', 'ask'))
  }
}
