import { type ChildProcess, spawn } from 'node:child_process'
import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readAudit } from '@devflow/db'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type ApiProcess, startApi } from '../support/api-process.ts'
import { smallRepository } from '../support/repository.ts'
import { eventsOf, type Standing } from '../support/run-log.ts'
import { isSandboxed } from '../support/sandboxed.ts'
import { useStack } from '../support/stack.ts'
import { type Attempt, CANARY, FOREVER, type Targets } from './attempt.ts'
import { gitAttempts, linkAttempts, pathAttempts } from './files.ts'
import { greedyAttempts, networkAttempts, processAttempts } from './kernel.ts'

/** So much a command may take, in these tests. */
const TIMEOUT_MS = 4_000

const stack = useStack({
  DEVFLOW_COMMAND_TIMEOUT_MS: String(TIMEOUT_MS),
  DEVFLOW_COMMAND_MEMORY_MB: '256',
  DEVFLOW_WORKSPACE_MB: '30',
  SOME_KEY_OF_THE_WORKER: CANARY,
})

let outside: string
let repository: string
let api: ApiProcess
let bystander: ChildProcess
const servers: Server[] = []
let connections = 0
let targets: Targets

beforeAll(async () => {
  outside = await mkdtemp(join(tmpdir(), 'devflow-outside-'))
  await writeFile(join(outside, 'secret'), CANARY)
  repository = await smallRepository()
  bystander = spawn('sleep', ['600'], { env: { CANARY }, stdio: 'ignore' })
  api = await startApi({
    DATABASE_URL: stack.databaseUrl,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    DEVFLOW_WORKSPACE_ROOTS: tmpdir(),
  })
  const abstractSocket = `devflow-escape-${process.pid}`
  const socketFile = join(outside, 'socket')
  await listen({ path: `\0${abstractSocket}` })
  await listen({ path: socketFile })
  const canary = await listen({ port: 0, host: '::' })
  const otherWorkspace = join(stack.dataDir, 'workspaces', 'other', 'work-1-1')
  await mkdir(otherWorkspace, { recursive: true })
  await writeFile(join(otherWorkspace, 'README.md'), CANARY)
  const port = (address: string) => Number(new URL(address).port)
  targets = {
    outside,
    secretFile: join(outside, 'secret'),
    dataDir: stack.dataDir,
    otherWorkspace,
    hostPid: bystander.pid ?? 0,
    abstractSocket,
    socketFile,
    ports: {
      canary,
      postgres: port(stack.databaseUrl),
      temporal: port(`http://${inject('temporalAddress')}`),
      api: port(api.url),
    },
  }
})

afterAll(async () => {
  await api?.stop()
  for (const server of servers) server.close()
  bystander?.kill('SIGKILL')
  for (const folder of [outside, repository]) await rm(folder, { recursive: true, force: true })
})

async function listen(on: { port: number; host: string } | { path: string }): Promise<number> {
  const server = createServer((socket) => {
    connections += 1
    socket.destroy()
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(on, resolve))
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

/** Makes all attempts in one session, each in a turn of its own, and answers the run. */
async function play(attempts: Attempt[]): Promise<Standing> {
  const turns = attempts.map(({ tool, args }, index) => ({
    toolCalls: [{ id: `attempt-${index}`, name: tool, arguments: args }],
  }))
  const persona = {
    kind: 'persona',
    id: 'player@1',
    model: {
      provider: 'scripted',
      name: 'player',
      maxTurns: 200,
      script: { turns: [...turns, { reply: 'Nothing came of it.' }] },
    },
    tools: ['read_file', 'write_file', 'edit_file', 'list_dir', 'search_files', 'run_command'],
    commands: ['sh -c', 'node -e', 'node --test', 'git diff', 'git status', 'git --exec-path=/workspace'],
  }
  return await stack.finish(
    `
kind: template
id: escapes@1
roles: { worker: { persona: player@1 } }
phases:
  - { id: work, agent: { role: worker, prompt: Get out. } }
---
${JSON.stringify(persona)}
`,
    { workspace: { repo: repository } },
  )
}

const THEMES: Record<string, (targets: Targets) => Attempt[]> = {
  paths: pathAttempts,
  links: linkAttempts,
  git: gitAttempts,
  processes: processAttempts,
  network: networkAttempts,
  greed: greedyAttempts,
}

describe.runIf(isSandboxed)('an agent that tries to get out', () => {
  let made = 0
  for (const [theme, attemptsFor] of Object.entries(THEMES)) {
    test(`by ${theme} does not, and each try is on record`, async () => {
      const attempts = attemptsFor(targets)
      const end = await play(attempts)
      expect(end.status, JSON.stringify(end.error)).toBe('completed')
      const results = [...eventsOf(end, 'tool.completed'), ...eventsOf(end, 'tool.denied')]
      const told = attempts.map(({ name }, index) => {
        const result = results.find(({ data }) => data.id === `attempt-${index}`)
        return { name, denied: result?.type === 'tool.denied', says: String(result?.data.content) }
      })
      for (const [index, { name, denied = false, says }] of attempts.entries()) {
        expect.soft(told[index], name).toMatchObject({ name, denied })
        expect.soft(told[index]?.says, name).toMatch(says)
        expect.soft(told[index]?.says, name).not.toMatch(/\b(CONNECTED|FOUND|SENT)\b/)
      }
      // Its own arguments name the secret's place, never what it holds.
      expect(JSON.stringify(results)).not.toContain(CANARY)

      const { items } = await readAudit(stack.pool, end.id, { limit: 1_000 })
      expect(items.map(({ tool, decision }) => ({ tool, decision }))).toEqual(
        attempts.map(({ tool, denied }) => ({ tool, decision: denied ? 'denied' : 'allowed' })),
      )
      const commands = items.filter(({ tool, decision }) => tool === 'run_command' && decision === 'allowed')
      expect(commands.every(({ bytes }) => bytes !== undefined)).toBe(true)
      made += attempts.length
      await expectUntouched()
    })
  }

  test('made more than sixty tries', () => expect(made).toBeGreaterThan(60))
})

/** Nothing outside of the workspace was read, changed, ended or reached, and nothing goes on. */
async function expectUntouched(): Promise<void> {
  expect(await readdir(outside)).toEqual(['secret', 'socket'])
  expect(await readFile(targets.secretFile, 'utf8')).toBe(CANARY)
  expect(await readFile(join(targets.otherWorkspace, 'README.md'), 'utf8')).toBe(CANARY)
  expect(await readdir(targets.otherWorkspace)).toEqual(['README.md'])
  expect(connections).toBe(0)
  await expect(access(`/proc/${targets.hostPid}`)).resolves.toBeUndefined()
  expect(bystander.exitCode).toBeNull()
  expect((await api.call('/healthz')).status).toBe(200)
  expect(await sleepers()).toEqual([])
}

/** Processes of this machine that a command left behind. */
async function sleepers(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
  return lines.filter((line) => line.startsWith('sleep') && line.includes(FOREVER))
}
