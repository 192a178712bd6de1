import { GroupWriter, type Member } from '@devflow/db'
import { testDatabase } from '@devflow/db/testing'
import { createLogger } from '@devflow/process'
import { expect, onTestFinished } from 'vitest'
import { readConfig } from './config.ts'
import { type ApiDocument, Conformance } from './conformance.fixture.ts'
import { openApiDocument } from './document.ts'
import { openApi } from './open-api.ts'

/** Templates, personas and schemas that need no model. */
export const ENTRIES = `
kind: template
id: test/echo@1
input: { type: object, required: [request], properties: { request: { type: string, minLength: 1 } } }
phases:
  - id: pause
    wait: { signal: go }
---
kind: template
id: test/gate@1
phases:
  - id: approve
    gate: { title: "Good?", quorum: 1 }
`

/** A line of a log, of any type: clients meet types they do not know. */
export interface Line {
  type: string
  key: string
  phase?: string
  attempt?: number
  turn?: number
  data?: unknown
  delivery?: number
  kind?: string
  text?: string
}

export type TestApi = Awaited<ReturnType<typeof testApi>>

/** As a request has it: without dots that lead back, without its query. */
const pathOf = (path: string) => new URL(`http://127.0.0.1:8787${path}`).pathname

/**
 * An API on a database of its own, reached without a port; closed when the test, or its file, is finished. Every
 * answer of `request` and `call` is held to the OpenAPI document.
 */
export async function testApi(
  env: Record<string, string> = {},
  finish: (end: () => Promise<void>) => void = onTestFinished,
) {
  const [{ mkdtemp, writeFile, rm }, { join }, { tmpdir }] = await Promise.all([
    import('node:fs/promises'),
    import('node:path'),
    import('node:os'),
  ])
  const folder = await mkdtemp(join(tmpdir(), 'devflow-api-'))
  await writeFile(join(folder, 'entries.yaml'), ENTRIES)
  const database = await testDatabase()
  const config = readConfig(
    {
      DATABASE_URL: database.url,
      DEVFLOW_ENTRIES: folder,
      DEVFLOW_WORKSPACE_ROOTS: folder,
      TEMPORAL_ADDRESS: '127.0.0.1:1',
      DEVFLOW_LOG_LEVEL: 'silent',
      ...env,
    },
    folder,
  )
  const logged: string[] = []
  const log = createLogger({
    name: 'api',
    level: 'warn',
    secrets: config.secrets,
    write: (line) => logged.push(line),
  })
  const { api, deps, close, release } = await openApi(config, log)
  const conformance = new Conformance(JSON.parse(JSON.stringify(openApiDocument(api))) as ApiDocument)
  const writer = new GroupWriter(database.url, deps.pool)
  let ended = false
  const end = async () => {
    if (ended) return
    ended = true
    close()
    await writer.close()
    await release()
    await database.close()
    await rm(folder, { recursive: true, force: true })
  }
  finish(end)

  const request = async (path: string, init: RequestInit & { json?: unknown } = {}) => {
    const { json, ...rest } = init
    const headers = new Headers(rest.headers)
    if (json !== undefined) headers.set('content-type', 'application/json')
    const method = rest.method ?? (json === undefined ? 'GET' : 'POST')
    const response = await api.request(`http://127.0.0.1:8787${path}`, {
      ...rest,
      method,
      headers,
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    })
    await conformance.check(method, pathOf(path), response)
    return response
  }
  const call = async (path: string, init: RequestInit & { json?: unknown } = {}) => {
    const response = await request(path, init)
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : JSON.parse(text),
    }
  }
  return {
    api,
    deps,
    config,
    folder,
    logged,
    end,
    close,
    databaseUrl: database.url,
    request,
    call,
    /** A new run of `test/echo@1`. */
    submit: async (more: Record<string, unknown> = {}, headers: Record<string, string> = {}) => {
      const made = await call('/v1/runs', {
        json: { template: 'test/echo@1', input: { request: 'x' }, ...more },
        headers,
      })
      expect(made).toMatchObject({ status: 201 })
      return made.body as { id: string }
    },
    /** What a worker would write. */
    append: async (run: string, ...lines: Line[]) => {
      expect(await writer.append({ run, lines: lines as Member['lines'] })).toMatchObject({
        verdict: 'written',
      })
    },
  }
}

/** Lines that take a run from its start to its end. */
export const STARTED: Line[] = [
  { type: 'run.started', key: 'run/started' },
  { type: 'phase.started', key: 'pause/1/started', phase: 'pause', attempt: 1 },
]
export const COMPLETED: Line = { type: 'run.completed', key: 'round/1/end', data: { output: { ok: true } } }
export const FAILED: Line = {
  type: 'run.failed',
  key: 'round/1/end',
  data: { phase: 'pause', error: { kind: 'INTERNAL', code: 'x', message: 'y' } },
}

export const gateOpened = (more: Record<string, unknown> = {}): Line => ({
  type: 'gate.opened',
  key: 'approve/1/opened',
  phase: 'approve',
  attempt: 1,
  data: {
    gate: 'approve',
    title: 'Good?',
    subject: [],
    subjectHash: 'a'.repeat(64),
    quorum: 1,
    rejectQuorum: 1,
    requireSubjectHash: false,
    onReject: 'fail',
    ...more,
  },
})
