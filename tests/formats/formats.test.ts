import { hostname } from 'node:os'
import {
  ArtifactView,
  AuditItem,
  Call,
  DEFINITION_FORMAT,
  Definition,
  EVENT_FORMAT,
  EventPage,
  Gate,
  PhaseView,
  PLAN_FORMAT,
  Plan,
  Report,
  Run,
  type RunEvent,
} from '@devflow/contracts'
import { rebuild } from '@devflow/db'
import { testDatabase } from '@devflow/db/testing'
import { planOf } from '@devflow/definition'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type ApiProcess, startApi } from '../support/api-process.ts'
import { digests, keptLogs } from './folder.ts'
import { isWhole, kindsIn, plantLog, projectionOf, sha256Of, WANTED } from './kept-log.ts'

const kept = keptLogs()
const names = [...kept.keys()]
const logOf = (name: string) => {
  const found = kept.get(name)
  if (!found) throw new Error(`there is no log ${name}`)
  return found.log
}

describe('on record are', () => {
  test('every type of event, every kind of phase and every kind of chunk of this build; `node tests/formats/record.ts` adds what is missing', () => {
    const own = names.filter((name) => name.startsWith(`${EVENT_FORMAT}/`)).map(logOf)
    const has = new Set(own.flatMap((log) => [...kindsIn(log)]))
    expect(WANTED.filter((kind) => !has.has(kind))).toEqual([])
  })
  test('the formats of definitions and plans of this build', () => {
    const logs = names.map(logOf)
    expect(logs.some(({ definition }) => definition.format === DEFINITION_FORMAT)).toBe(true)
    expect(logs.some(({ plan }) => plan.format === PLAN_FORMAT)).toBe(true)
  })
  test('logs as they were kept: none has changed, none is gone', () => {
    const now = Object.fromEntries([...kept].map(([name, { text }]) => [name, sha256Of(text)]))
    expect(now).toEqual(digests())
  })
  test('no secrets, and nothing of the machine', () => {
    const told: [what: string, pattern: RegExp][] = [
      [
        'a key',
        /\b(?:sk|pk|rk)-[\w-]{8}|\bAIza[\w-]{20}|\bAKIA[A-Z0-9]{12}|\bgh[pousr]_\w{20}|\bxox[abp]-|\bwhsec_/,
      ],
      ['a header', /\bbearer [\w.-]{8}|"(?:authorization|x-api-key|cookie)"/i],
      ['a private key', /-----BEGIN/],
      ['a password', /:\/\/[^/\s"@]+:[^/\s"@]+@|\bpassword["']?\s*[:=]/i],
      ['a place', /(?<![\w-])\/(?:home|root|Users|tmp|work)\//],
      ['the host', new RegExp(`\\b${hostname()}\\b`)],
    ]
    const faults = [...kept].flatMap(([name, { text, log }]) => {
      const blobs = Object.values(log.blobs).map((blob) => ('text' in blob ? blob.text : ''))
      return told
        .filter(([, pattern]) =>
          [text, ...blobs].some((part) => pattern.test(part.replaceAll(/"base64":"[^"]*"/g, ''))),
        )
        .map(([what]) => `${name}: ${what}`)
    })
    expect(faults).toEqual([])
    expect(names.filter((name) => !isWhole(logOf(name)))).toEqual([])
  })
})

describe('this build reads', () => {
  let database: Awaited<ReturnType<typeof testDatabase>>
  let pool: pg.Pool
  let api: ApiProcess
  beforeAll(async () => {
    database = await testDatabase()
    pool = new pg.Pool({ connectionString: database.url, max: 4, options: '-c timezone=UTC' })
    pool.on('error', () => {}) // Dropping the database ends idle connections.
    for (const name of names) await plantLog(pool, logOf(name))
    await rebuild(database.url, { check: false })
    api = await startApi({ DATABASE_URL: database.url, TEMPORAL_ADDRESS: '127.0.0.1:1' })
  })
  afterAll(async () => {
    await api?.stop()
    await pool?.end()
    await database?.close()
  })

  async function read<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.infer<Schema>> {
    const answer = await api.call(path)
    const body = await answer.text()
    expect(answer.status, `${path}: ${body}`).toBe(200)
    return schema.parse(JSON.parse(body))
  }
  const page = <Item extends z.ZodType>(item: Item) => z.object({ items: z.array(item) })

  test('all of them into projections that a check finds true', async () => {
    const { runs, differences } = await rebuild(database.url, { check: true })
    expect(differences).toEqual([])
    expect(runs).toBe(new Set(names.map((name) => logOf(name).run)).size)
  })

  test.for(names)('%s: its definition, and the plan that was made of it', (name) => {
    const { definition, plan } = logOf(name)
    const read = Definition.parse(definition)
    expect(planOf(read)).toMatchObject(Plan.parse(plan))
  })

  test.for(names)('%s: its log makes of the run what it made of it then', async (name) => {
    const { run, projections } = logOf(name)
    for (const [table, rows] of Object.entries(projections)) {
      const now = await projectionOf(pool, table, run)
      expect(now, table).toHaveLength(rows.length)
      for (const row of rows) expect(now, table).toContainEqual(expect.objectContaining(row))
    }
  })

  test.for(names)('%s: the API shows the run, its whole log and all that belongs to it', async (name) => {
    const { run, events } = logOf(name)
    const at = `/v1/runs/${run}`
    const shown = await read(at, Run)
    expect(['completed', 'failed', 'canceled']).toContain(shown.status)
    const log: RunEvent[] = []
    for (let after = 0, done = false; !done; ) {
      const next = await read(`${at}/events?limit=1000&after=${after}`, EventPage)
      log.push(...next.items)
      after = next.nextAfter
      done = next.done
    }
    expect(log.map(({ seq, type, key }) => ({ seq, type, key }))).toEqual(
      events.map(({ seq, type, key }) => ({ seq, type, key })),
    )
    await read(`${at}/phases`, page(PhaseView))
    await read(`${at}/gates`, page(Gate))
    await read(`${at}/calls`, page(Call))
    await read(`${at}/audit`, page(AuditItem))
    const { items } = await read(`${at}/artifacts`, page(ArtifactView))
    if (items.some((artifact) => artifact.name === 'report.json')) await read(`${at}/report`, Report)
  })
})
