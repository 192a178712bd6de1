import { realpathSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readAudit } from '@devflow/db'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startHttpServer } from '../support/mcp-server.ts'
import { smallRepository } from '../support/repository.ts'
import { eventOf, eventsOf, type Standing } from '../support/run-log.ts'
import { isSandboxed } from '../support/sandboxed.ts'
import { Stack } from '../support/stack.ts'

const PROGRAM = fileURLToPath(new URL('../support/mcp-server.ts', import.meta.url))
const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url))
const KEY = 'a-key-of-the-operator'

const stack = new Stack({})
let repository: string
let http: Awaited<ReturnType<typeof startHttpServer>>
const bystander = createServer()

beforeAll(async () => {
  repository = await smallRepository()
  http = await startHttpServer(KEY)
  await new Promise<void>((resolve) => bystander.listen(0, '127.0.0.1', resolve))
  await stack.start()
  await stack.startWorker({
    // What the small server needs to run in the sandbox, to be read.
    DEVFLOW_COMMAND_PATHS: [dirname(PROGRAM), MODULES, realpathSync(join(MODULES, '.pnpm'))].join(':'),
    DEVFLOW_MCP_SERVERS: JSON.stringify({
      remote: { url: http.url, headers: { authorization: `Bearer ${KEY}` } },
      local: { command: ['node', PROGRAM], env: { GIVEN: 'for-this-server-alone' } },
      wide: { command: ['node', PROGRAM], network: true },
    }),
  })
})
afterAll(async () => {
  await stack.stop()
  await http.close()
  bystander.close()
  await rm(repository, { recursive: true, force: true })
})

const port = (): number => (bystander.address() as { port: number }).port

/** A run whose agent has these servers and makes these calls, a turn each. */
async function play(
  mcp: object[],
  calls: [tool: string, args: unknown][],
  more: object = {},
): Promise<Standing> {
  const persona = {
    kind: 'persona',
    id: 'player@1',
    model: {
      provider: 'scripted',
      name: 'player',
      script: {
        turns: [
          ...calls.map(([name, args], index) => ({
            toolCalls: [{ id: `call-${index}`, name, arguments: args }],
          })),
          { reply: 'Done.' },
        ],
      },
      ...more,
    },
    mcp,
  }
  return await stack.finish(
    `
kind: template
id: servers@1
roles: { worker: { persona: player@1 } }
phases:
  - { id: work, agent: { role: worker, prompt: Work. } }
---
${JSON.stringify(persona)}
`,
    { workspace: { repo: repository } },
  )
}

const answers = (run: Standing) => eventsOf(run, 'tool.completed').map(({ data }) => String(data.content))

describe.runIf(isSandboxed)('tools of a server over standard streams', () => {
  const own = (tools: string[]) => ({ name: 'own', command: ['node', PROGRAM], tools })

  test('appear under its name, are checked, run and stand in the audit', async () => {
    const run = await play(
      [own(['add', 'refuse'])],
      [
        ['own__add', { a: 2, b: 3 }],
        ['own__add', { a: 'two', c: 1 }],
        ['own__refuse', {}],
        ['own__environment', {}],
        ['environment', {}],
      ],
    )
    expect(run.status).toBe('completed')
    const [sum, wrong, refused] = answers(run)
    expect(sum).toBe('5')
    expect(wrong).toMatch(/the arguments are wrong[\s\S]*- a: [\s\S]*own__add takes/)
    expect(refused).toBe('Error: I would rather not')
    // What the persona does not name is not there, whatever the server has.
    expect(eventsOf(run, 'tool.denied')).toHaveLength(2)
    expect(eventsOf(run, 'tool.started').map(({ data }) => data.id)).toEqual(['call-0', 'call-2'])
    const { items } = await readAudit(stack.pool, run.id, { limit: 10 })
    expect(items.map(({ tool, decision }) => `${tool} ${decision}`)).toEqual([
      'own__add allowed',
      'own__add allowed',
      'own__refuse allowed',
      'own__environment denied',
      'environment denied',
    ])
  })

  test('are in the sandbox: no network, no secrets, the workspace to be read', async () => {
    const run = await play(
      [own(['environment', 'read', 'reach'])],
      [
        ['own__environment', {}],
        ['own__reach', { port: port() }],
        ['own__read', { path: '/etc/hostname' }],
        ['own__read', { path: 'README.md' }],
      ],
    )
    const [environment, reached, hostname, readme] = answers(run)
    expect(environment).not.toMatch(/DATABASE_URL|OPENROUTER|DEVFLOW/)
    expect(reached).toBe('ECONNREFUSED')
    expect(hostname).toMatch(/ENOENT/)
    expect(readme).toContain('# Adder')
  })

  test('are bounded in time and size, and outlive neither their server nor their session', async () => {
    const run = await play(
      [{ ...own(['slow', 'much', 'die', 'add']), timeout: 'PT1S' }],
      [
        ['own__much', {}],
        ['own__slow', {}],
        ['own__die', {}],
        ['own__add', { a: 1, b: 1 }],
      ],
    )
    expect(run.status).toBe('completed')
    const [much = '', slow, died, after] = answers(run)
    expect(much.length).toBeLessThan(101_000)
    expect(much).toMatch(/400000 characters are left out here/)
    expect(slow).toMatch(/The server own failed: .*timed out/i)
    for (const said of [died, after]) expect(said).toMatch(/The server own failed/)
    expect(eventsOf(run, 'tool.completed').at(-1)?.data).toMatchObject({ code: 'mcp_call_failed', ok: false })
  })

  test('count in quotas as others do', async () => {
    const run = await play(
      [own(['add'])],
      [
        ['own__add', { a: 1, b: 1 }],
        ['own__add', { a: 1, b: 1 }],
      ],
      { toolQuotas: { own__add: 1 } },
    )
    expect(eventOf(run, 'tool.denied').data).toMatchObject({ code: 'tool_quota_exceeded' })
  })
})

describe.runIf(isSandboxed)('servers of the operator', () => {
  test('get the environment, the network and the headers that they are given; no model sees these', async () => {
    const run = await play(
      [
        { name: 'remote', tools: ['add'] },
        { name: 'local', tools: ['environment', 'reach'] },
        { name: 'wide', tools: ['reach'] },
      ],
      [
        ['remote__add', { a: 20, b: 22 }],
        ['local__environment', {}],
        ['local__reach', { port: port() }],
        ['wide__reach', { port: port() }],
      ],
    )
    expect(run.status, JSON.stringify(run.error)).toBe('completed')
    const [sum, environment, local, wide] = answers(run)
    expect([sum, local, wide]).toEqual(['42', 'ECONNREFUSED', 'REACHED'])
    expect(environment).toContain('"GIVEN":"[secret]"')
  })

  test('lend nothing to an address that a persona names itself, which learns no more than a status', async () => {
    const run = await play([{ name: 'remote', url: http.url, tools: ['add'] }], [])
    expect(run.error).toMatchObject({ kind: 'INTERNAL', code: 'mcp_server_failed' })
    expect(run.error?.message).toContain('401')
    expect(JSON.stringify(run)).not.toContain('SECRET OF ANOTHER SERVICE')
  })
})

describe.runIf(isSandboxed)('a server that cannot be used fails its phase and says why', () => {
  const faults: [what: string, server: object, says: RegExp][] = [
    ['of no known name', { name: 'nobody', tools: ['add'] }, /none of that name.*remote, local, wide/],
    ['without its tool', { name: 'local', tools: ['subtract'] }, /no tool subtract/],
    ['whose arguments cannot be checked', { name: 'local', tools: ['not-checked'] }, /cannot be checked/],
    [
      'whose program is missing',
      { name: 'own', command: ['no-such-program'], tools: ['add'] },
      /no-such-program/,
    ],
    [
      'that nobody answers for',
      { name: 'own', url: 'http://127.0.0.1:9/mcp', tools: ['add'] },
      /could not be reached/,
    ],
  ]
  test.each(faults)('%s', async (_, server, says) => {
    const run = await play([server], [])
    expect(run.status).toBe('failed')
    expect(run.error?.message).toMatch(says)
  })
})
