import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts, obtainTemporal } from '@devflow/local-stack'
import { Connection } from '@temporalio/client'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { smallRepository } from '../support/repository.ts'
import { type BuiltImage, buildImage } from './build-image.ts'
import { type Service, servicesOf } from './compose-file.ts'

const TOLD = { POSTGRES_PASSWORD: 'a-password', DEVFLOW_TOKEN: 'a-token-of-enough-characters' }
const services = servicesOf(TOLD)
/** What npm and pnpm say where their registry is out of reach. */
const UNREACHABLE =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|SELF_SIGNED_CERT|ERR_PNPM_META_FETCH_FAIL/
const NOBODY = 65_534
const asNobody = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}

const folder = mkdtempSync(join(tmpdir(), 'devflow-image-'))
const database = `devflow_image_${randomUUID().replaceAll('-', '')}`
const databaseUrl = Object.assign(new URL(inject('databaseUrl')), { pathname: `/${database}` }).href
const namespace = `image-${randomUUID()}`
const running: ChildProcess[] = []
let image: BuiltImage
/** Why the image's packages cannot be had here; then there is nothing to try. */
let offline = ''
let node = ''
let repository = ''
let ports = { api: 0, worker: 0 }

async function onServer(text: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('databaseUrl') })
  await client.connect()
  await client.query(text)
  await client.end()
}

beforeAll(async () => {
  try {
    image = buildImage(folder, join(inject('cacheFolder'), 'pnpm-store'))
  } catch (error) {
    if (!(error instanceof Error) || !UNREACHABLE.test(error.message)) throw error
    offline = error.message
  }
  // Nobody may enter neither root's folders nor, perhaps, this checkout.
  node = join(folder, 'node')
  cpSync(process.execPath, node)
  for (const path of ['', 'data', 'repositories', 'entries', 'tmp']) {
    mkdirSync(join(folder, path), { recursive: true, mode: 0o755 })
    if ('uid' in asNobody) chownSync(join(folder, path), NOBODY, NOBODY)
  }
  const made = await smallRepository()
  repository = join(folder, 'repositories', 'adder')
  cpSync(made, repository, { recursive: true })
  // As a checkout is: everyone may read it, and it is somebody else's.
  chmodSync(repository, 0o755)
  rmSync(made, { recursive: true, force: true })
  const [api = 0, worker = 0] = await freePorts(2)
  ports = { api, worker }
  await onServer(`create database ${database}`)
}, 300_000)
beforeEach(({ skip }) => {
  if (offline !== '') skip(`the registry of packages is out of reach: ${offline}`)
})
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL')
  await onServer(`drop database if exists ${database} with (force)`)
  rmSync(folder, { recursive: true, force: true })
})

/** The environment of a service, with the parts of this test instead of the containers it names. */
function environmentOf({ environment = {} }: Service): Record<string, string> {
  const given: Record<string, string> = {
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: namespace,
    DEVFLOW_PORT: `${ports.api}`,
    DEVFLOW_METRICS_PORT: `${ports.worker}`,
    DEVFLOW_DATA: join(folder, 'data'),
    DEVFLOW_WORKSPACE_ROOTS: join(folder, 'repositories'),
    DEVFLOW_ENTRIES: join(folder, 'entries'),
  }
  const own = Object.entries(environment).map(([name, value]) => [name, given[name] ?? value])
  const home = { HOME: '/nonexistent', TMPDIR: join(folder, 'tmp'), PATH: '/usr/local/bin:/usr/bin:/bin' }
  return { ...home, ...image.env, ...Object.fromEntries(own) }
}

/** Starts a service's command in the image, as a user who may write in its data alone. */
function start(
  service: Service,
  command = service.command ?? image.command,
): ChildProcess & { printed(): string } {
  const [program = '', ...args] = command
  const child = spawn(program === 'node' ? node : program, args, {
    cwd: image.app,
    env: environmentOf(service),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...asNobody,
  })
  running.push(child)
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
  return Object.assign(child, { printed: () => printed })
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null) await once(child, 'exit')
  return child.exitCode
}

const serviceOf = (name: string): Service => {
  const service = services[name]
  if (!service) throw new Error(`the compose file has no ${name}`)
  return service
}

/** A health check, at the ports of this test. */
const checked = async (name: string): Promise<number | null> => {
  const [, ...command] = serviceOf(name).healthcheck?.test ?? []
  const moved = command.map((word) =>
    word.replace(':8787/', `:${ports.api}/`).replace(':9464/', `:${ports.worker}/`),
  )
  return await ended(start(serviceOf(name), moved))
}

interface Answer {
  status: number
  body: { id: string; status: string }
}

async function call(
  path: string,
  body?: unknown,
  token: string | undefined = TOLD.DEVFLOW_TOKEN,
): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${ports.api}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as Answer['body'] }
}

describe.skipIf(process.platform !== 'linux')('what the image holds', () => {
  test('was made without what only a container’s system can do, which is little', () => {
    expect(image.skipped.map((text) => text.split(' ')[0])).toEqual(['npm', 'apt-get'])
    expect(image.command).toEqual(serviceOf('api').command)
  })

  test('makes the namespace, once, by the command of its service', async () => {
    const { path } = await obtainTemporal({
      cacheDir: inject('cacheFolder'),
      env: process.env,
      onProgress: console.error,
    })
    const service = serviceOf('temporal-namespace')
    const create = async () => {
      const child = spawn('sh', [...(service.entrypoint?.slice(1) ?? []), ...(service.command ?? [])], {
        env: {
          ...environmentOf(service),
          HOME: folder,
          USER: 'devflow',
          PATH: `${join(path, '..')}:/usr/bin:/bin`,
        },
        stdio: 'ignore',
      })
      return await ended(child)
    }
    expect(await create()).toBe(0)
    expect(await create()).toBe(0)
    const connection = await Connection.connect({ address: inject('temporalAddress') })
    const { config } = await connection.workflowService.describeNamespace({ namespace })
    await connection.close()
    expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(30 * 86_400)
  })

  test('migrates, serves, works, is healthy, and ends when it is told to', async () => {
    const migrate = start(serviceOf('migrate'))
    expect(await ended(migrate), migrate.printed()).toBe(0)

    const api = start(serviceOf('api'))
    const worker = start(serviceOf('worker'))
    const gone = () => [api, worker].find(({ exitCode }) => exitCode !== null)
    const until = async (what: () => Promise<boolean>) => {
      const holds = async () => gone() !== undefined || (await what().catch(() => false))
      await expect.poll(holds, { timeout: 60_000, interval: 200 }).toBe(true)
      expect(gone()?.printed()).toBeUndefined()
    }
    await until(async () => (await call('/readyz')).status === 200)
    expect(await Promise.all([checked('api'), checked('worker')])).toEqual([0, 0])
    expect((await call('/v1/runs', undefined, 'another-token-of-enough-characters')).status).toBe(401)
    expect((await fetch(`http://127.0.0.1:${ports.api}/v1/runs`)).status).toBe(401)
    // The manual is in the image.
    const manual = await fetch(`http://127.0.0.1:${ports.api}/docs/operations.md`, {
      headers: { authorization: `Bearer ${TOLD.DEVFLOW_TOKEN}` },
    })
    expect(await manual.text()).toMatch(/^# Operations/)

    const bindings = {
      'spec-writer': 'offline-spec-writer@1',
      reviewer: 'offline-code-reviewer@1',
      verifier: 'offline-verifier@1',
    }
    const submitted = await call('/v1/runs', {
      template: 'spec-and-review@1',
      input: { request: 'Check the arguments.' },
      bindings,
      workspace: { repo: repository },
    })
    expect(submitted.status, JSON.stringify(submitted.body)).toBe(201)
    const { id } = submitted.body
    await until(async () => (await call(`/v1/runs/${id}`)).body.status === 'waiting')
    await call(`/v1/runs/${id}/gates/approve/decisions`, { decision: 'approve' })
    await until(async () => (await call(`/v1/runs/${id}`)).body.status === 'completed')

    for (const child of [api, worker]) child.kill('SIGTERM')
    expect(await Promise.all([ended(api), ended(worker)])).toEqual([0, 0])
    // With nobody there, a check says so.
    expect(await Promise.all([checked('api'), checked('worker')])).toEqual([1, 1])
  })
})
