import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { POSTGRES_MAJOR } from '@devflow/local-stack'
import { describe, expect, inject, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { interpolated, ROOT, references, servicesOf, textOf, variablesOf } from './compose-file.ts'
import { stagesOf } from './dockerfile.ts'
import { referenceLoader, refusalOf } from './reference-loader.ts'

const COMPOSE = textOf('docker-compose.yml')
const TOLD = { POSTGRES_PASSWORD: 'a-password', DEVFLOW_TOKEN: 'a-token-of-enough-characters' }
const services = servicesOf(TOLD)
const ours = Object.entries(services).filter(([, { build }]) => build !== undefined)

/** Which app a service of ours runs. */
const appOf = (command: readonly string[] = []) => /^apps\/\w+/.exec(command[1] ?? '')?.[0] ?? ''

test('the reference loader takes it, and would not take a misspelt one', async ({ skip }) => {
  const loader = await referenceLoader(inject('cacheFolder'))
  if ('missing' in loader) {
    console.warn(loader.missing)
    return skip(loader.missing)
  }
  const folder = mkdtempSync(join(tmpdir(), 'devflow-compose-'))
  try {
    const text = interpolated(COMPOSE, TOLD)
    writeFileSync(join(folder, 'good.yml'), text)
    writeFileSync(join(folder, 'bad.yml'), text.replace('healthcheck:', 'healthchek:'))
    expect(await refusalOf(loader.path, folder, 'good.yml')).toBeUndefined()
    expect(await refusalOf(loader.path, folder, 'bad.yml')).toContain('healthchek')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

describe('the file that lets the sandbox work', () => {
  const overlay = parse(textOf('docker-compose.sandbox.yml')) as { services: Record<string, object> }

  test('lifts what withholds namespaces from workers, of nobody else and nothing else', () => {
    expect(overlay).toEqual({
      services: {
        worker: { security_opt: ['seccomp=unconfined', 'apparmor=unconfined', 'systempaths=unconfined'] },
      },
    })
  })

  test('is taken by the reference loader, on top of the other', async ({ skip }) => {
    const loader = await referenceLoader(inject('cacheFolder'))
    if ('missing' in loader) return skip(loader.missing)
    const folder = mkdtempSync(join(tmpdir(), 'devflow-compose-'))
    try {
      const whole = parse(interpolated(COMPOSE, TOLD), { merge: true })
      const own = whole.services.worker
      // As Compose does: lists of options are put together.
      own.security_opt = [...own.security_opt, ...Object.values(overlay.services.worker ?? {}).flat()]
      writeFileSync(join(folder, 'both.yml'), stringify(whole))
      expect(await refusalOf(loader.path, folder, 'both.yml')).toBeUndefined()
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe('what it is told by', () => {
  test('each variable of a service of ours is one that its app reads', () => {
    expect(ours.map(([name]) => name).sort()).toEqual(['api', 'migrate', 'worker'])
    for (const [name, { command, environment = {} }] of ours) {
      const sources = join(ROOT, appOf(command), 'src')
      const schema = readdirSync(sources)
        .filter((file) => /^(?:.+-)?config\.ts$/.test(file))
        .map((file) => readFileSync(join(sources, file), 'utf8'))
        .join('\n')
      const read = [...schema.matchAll(/^ {2}([A-Z][A-Z0-9_]+):/gm)].map(([, variable]) => variable)
      expect(read.length).toBeGreaterThan(5)
      expect(
        Object.keys(environment).filter((variable) => !read.includes(variable)),
        name,
      ).toEqual([])
      expect(Object.keys(environment)).toContain('DATABASE_URL')
    }
  })

  test('.env.example names each variable it takes from outside, with the default it has, and no other', () => {
    const outside = references(COMPOSE)
    const example = variablesOf(textOf('.env.example'))
    expect(Object.fromEntries(example)).toEqual(
      Object.fromEntries([...outside].map(([name, byDefault]) => [name, byDefault ?? ''])),
    )
    const required = [...outside].filter(([, byDefault]) => byDefault === undefined).map(([name]) => name)
    expect(required.sort()).toEqual(['DEVFLOW_TOKEN', 'POSTGRES_PASSWORD'])
  })

  test('without a secret it is refused', () => {
    expect(() => servicesOf({ DEVFLOW_TOKEN: 'x' })).toThrow('POSTGRES_PASSWORD')
    expect(() => servicesOf({ POSTGRES_PASSWORD: 'x' })).toThrow('DEVFLOW_TOKEN')
  })
})

describe('what it publishes', () => {
  test('is on loopback alone', () => {
    const ports = Object.values(services).flatMap(({ ports = [] }) => ports)
    expect(ports).toHaveLength(2)
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/)
  })

  test('inside, the API listens for all and so asks for a token', () => {
    expect(services.api?.environment).toMatchObject({
      DEVFLOW_HOST: '0.0.0.0',
      DEVFLOW_TOKEN: TOLD.DEVFLOW_TOKEN,
    })
  })
})

describe('its services', () => {
  const oneShot = Object.keys(services).filter((name) => services[name]?.restart.startsWith('on-failure'))

  test('are checked for their health, or end', () => {
    expect(oneShot).toEqual(['temporal-schema', 'temporal-namespace', 'migrate'])
    const unchecked = Object.entries(services).filter(([, { healthcheck }]) => !healthcheck)
    expect(unchecked.map(([name]) => name)).toEqual(oneShot)
  })

  test('wait for what they need to be healthy or done', () => {
    for (const [name, { depends_on = {} }] of Object.entries(services))
      for (const [needed, { condition }] of Object.entries(depends_on))
        expect(condition, `${name} needs ${needed}`).toBe(
          oneShot.includes(needed) ? 'service_completed_successfully' : 'service_healthy',
        )
    expect(Object.keys(services.worker?.depends_on ?? {})).toEqual(['migrate', 'temporal-namespace'])
  })

  test('of ours can neither write outside of their data, nor gain rights', () => {
    for (const [, service] of ours)
      expect(service).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      })
  })

  test('have images of a version; Postgres is the embedded one, and the deprecated set-up image is not there', () => {
    const images = Object.values(services).map(({ image }) => image)
    for (const image of images) expect(image).toMatch(/^[\w/-]+:\d+\.\d+(\.\d+)?$/)
    expect(services.postgres?.image).toMatch(new RegExp(`:${POSTGRES_MAJOR}\\.`))
    const temporal = images.filter((image) => /^temporalio\/(server|admin-tools):/.test(image))
    expect(new Set(temporal.map((image) => image.split(':')[1])).size).toBe(1)
    expect(COMPOSE).not.toContain('auto-setup')
  })
})

describe('the image', () => {
  const stages = stagesOf(textOf('Dockerfile'))
  const last = stages.at(-1)

  test('stands on the Node and the pnpm of this checkout, by their versions', () => {
    const { catalog } = parse(textOf('pnpm-workspace.yaml'))
    expect(new Set(stages.map(({ base }) => base))).toEqual(new Set([`node:${catalog.node}-trixie-slim`]))
    const [, pnpm = ''] = /'pnpm@(\d+)'/.exec(textOf('scripts/bootstrap.mjs')) ?? []
    const installed = /pnpm@(\d+)\.\d+\.\d+/.exec(textOf('Dockerfile'))
    expect(installed?.[1]).toBe(pnpm)
  })

  test('runs as nobody in particular, and leaves what builds it behind', () => {
    const users = last?.instructions.filter(({ name }) => name === 'USER').map(({ text }) => text)
    expect(users).toEqual(['1000:1000'])
    expect(stages.length).toBeGreaterThan(1)
    expect(last?.instructions.some(({ text }) => /\b(npm|pnpm)\b/.test(text))).toBe(false)
  })

  test('has what workspaces, the sandbox of commands and terminals need', () => {
    const [, packages = ''] =
      /apt-get install --yes --no-install-recommends ([a-z -]+) &&/.exec(
        last?.instructions.find(({ text }) => text.startsWith('apt-get'))?.text ?? '',
      ) ?? []
    expect(packages.trim().split(' ')).toEqual(['bubblewrap', 'ca-certificates', 'git', 'tmux'])
  })

  test('carries the version of the whole', () => {
    const { version } = JSON.parse(textOf('package.json'))
    for (const [, { image }] of ours) expect(image).toBe(`devflow:${version}`)
  })
})
