import { getBlob, latestArtifacts } from '@devflow/db'
import type { RecordedRequest } from '@devflow/testing'
import type pg from 'pg'
import { eventsOf, readStanding, type Standing } from '../support/run-log.ts'
import { type AgentStep, allSteps, type Case, nth } from './case.ts'
import type { Meaning, Running } from './running.ts'
import { sorted } from './seen.ts'

const same = (a: unknown, b: unknown): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
const say = (value: unknown): string => JSON.stringify(sorted(value))?.slice(0, 300) ?? 'undefined'

/** Where a run, and those it started, differ from what their template means. */
export async function differences(pool: pg.Pool, run: string, means: Meaning): Promise<string[]> {
  const stands = await readStanding(pool, run)
  const found: string[] = []
  if (stands.status !== means.status)
    found.push(
      `the run is ${stands.status} (${stands.error?.code ?? ''}), not ${means.status} (${say(means.errors)})`,
    )
  else if (means.status === 'failed' && !isOneOf(stands.error, means.errors))
    found.push(`the run failed with ${say(stands.error)}, not ${say(means.errors)}`)
  else if (means.status === 'completed' && !same(stands.output, means.output))
    found.push(`the output is ${say(stands.output)}, not ${say(means.output)}`)
  const contents = await artifactContents(pool, stands)
  found.push(...phaseDifferences(stands, means, contents))
  for (const [name, { content, loose }] of means.artifacts)
    if (!loose && !same(contents.get(name), content))
      found.push(`artifact ${name} is ${say(contents.get(name))}, not ${say(content)}`)
  for (const name of contents.keys())
    if (!means.artifacts.has(name)) found.push(`artifact ${name} is not expected`)
  found.push(...turnDifferences(stands, means))
  return [...found, ...(await childDifferences(pool, stands, means))]
}

/** Turns that a fork has taken over and was asked for all the same, by a request for one of its own sessions. */
export function paidAgain({ turns }: Meaning, run: string, requests: readonly RecordedRequest[]): string[] {
  const reused = new Set(turns.flatMap(({ key, reused }) => (reused ? [key] : [])))
  return requests.flatMap(({ session, body }) => {
    const key = `${session.slice(run.length + 1)}/${turnOf(body)}`
    return session.startsWith(run) && reused.has(key) ? [`turn ${key} was paid for again`] : []
  })
}

const turnOf = ({ messages }: RecordedRequest['body']): number =>
  messages.filter(({ role }) => role === 'assistant').length + 1

const isOneOf = (error: Standing['error'], expected: Meaning['errors']): boolean =>
  expected.some(({ kind, code }) => error?.kind === kind && error.code === code)

function phaseDifferences({ phases }: Standing, means: Meaning, contents: Map<string, unknown>): string[] {
  const found: string[] = []
  for (const id of Object.keys(phases)) if (!means.phases.has(id)) found.push(`phase ${id} is not expected`)
  for (const [id, expected] of means.phases) {
    const at = phases[id]
    if (expected.loose) continue
    if (!at) found.push(`phase ${id} is missing`)
    else if (at.status !== expected.status || at.attempt !== expected.attempt)
      found.push(
        `phase ${id} is ${at.status} in attempt ${at.attempt} (${at.error?.code ?? ''}: ${at.error?.message ?? ''}), not ${expected.status} in ${expected.attempt}`,
      )
    else if (at.status === 'failed' && !isOneOf(at.error, expected.failures))
      found.push(`phase ${id} failed with ${say(at.error)}, not ${say(expected.failures)}`)
    else if (at.status === 'completed' || at.status === 'compensated')
      found.push(...outputDifference(expected, at.output, contents))
  }
  return found
}

/** What is in a phase that holds others is compared there. */
function outputDifference(
  { id, step, output }: Running,
  at: unknown,
  contents: Map<string, unknown>,
): string[] {
  if (step.kind === 'parallel' || step.kind === 'map' || step.kind === 'cycle') return []
  const isArtifact = step.kind === 'agent' && step.makes
  const name = isArtifact ? (at as { artifact: string } | null)?.artifact : undefined
  // A later version may have taken its place; versions are compared by their last.
  if (name !== undefined) return contents.has(name) ? [] : [`phase ${id} made ${name}, which is not there`]
  return same(at, output()) ? [] : [`the output of ${id} is ${say(at)}, not ${say(output())}`]
}

async function artifactContents(pool: pg.Pool, { id, events }: Standing): Promise<Map<string, unknown>> {
  const names = new Set(
    eventsOf({ events } as Standing, 'artifact.accepted').map(({ data }) => String(data.name)),
  )
  const contents = new Map<string, unknown>()
  for (const { name, sha256 } of await latestArtifacts(pool, id, [...names])) {
    const content = await getBlob(pool, id, sha256)
    contents.set(name, JSON.parse(content?.toString('utf8') ?? 'null'))
  }
  return contents
}

function turnDifferences(stands: Standing, { turns }: Meaning): string[] {
  const recorded = eventsOf(stands, 'turn.completed').map(
    ({ phase, attempt, turn }) => `${phase}/${attempt}/${turn}`,
  )
  const expected = new Map(turns.map(({ key, by }) => [key, by]))
  return [
    ...recorded.filter((key) => !expected.has(key)).map((key) => `turn ${key} is not expected`),
    ...[...expected]
      .filter(([key, by]) => !by.loose && !recorded.includes(key))
      .map(([key]) => `turn ${key} is missing`),
  ]
}

async function childDifferences(pool: pg.Pool, stands: Standing, { children }: Meaning): Promise<string[]> {
  const started = new Map(
    eventsOf(stands, 'child.started').map(({ phase, attempt, data }) => [
      `${phase}/${attempt}`,
      String(data.run),
    ]),
  )
  const found: string[] = []
  for (const { by, attempt, means } of children) {
    const run = started.get(`${by.id}/${attempt}`)
    if (by.loose) continue
    if (run === undefined) found.push(`${by.id} started no run in attempt ${attempt}`)
    else found.push(...(await differences(pool, run, means)).map((each) => `in the run of ${by.id}: ${each}`))
  }
  return found
}

/** Requests for turns beyond what a case asks for: each belongs to a session that was cut off. By session. */
export function repeatsOf(found: Case, requests: readonly RecordedRequest[]): Map<string, number> {
  const made = new Map<string, { turns: Set<number>; count: number; id: string; attempt: number }>()
  for (const { session, body } of requests) {
    const [, id = '', attempt = ''] = session.split('/')
    const turn = turnOf(body)
    const known = made.get(session) ?? { turns: new Set(), count: 0, id, attempt: Number(attempt) }
    known.turns.add(turn)
    known.count += 1
    made.set(session, known)
  }
  const repeats = new Map<string, number>()
  for (const [session, { turns, count, id, attempt }] of made) {
    const name = id.replace(/[[#].*$/s, '')
    // Those that are asked for help have none.
    const step = id.includes('~') ? undefined : agentsIn(found).get(name)
    const hiccup = step && !step.hangs && nth(step.replies, name, id, attempt).hiccup ? 1 : 0
    repeats.set(session, count - turns.size - hiccup)
  }
  return repeats
}

function agentsIn({ template, children }: Case): Map<string, AgentStep> {
  const steps = [template, ...children].flatMap(({ steps }) => allSteps(steps))
  return new Map(steps.flatMap((step) => (step.kind === 'agent' ? [[step.name, step] as const] : [])))
}
