import { mintToken } from '@devflow/db'
import { expect, test } from 'vitest'
import { CLI_MAIN, runCommand } from '../support/command-line.ts'
import { otherServer } from '../support/other-server.ts'
import { ownEnv } from '../support/own-env.ts'
import { hasTmux, openTerminal } from '../support/terminal.ts'
import { useCommandStack } from './stack.ts'

const devflow = useCommandStack()

interface Minted {
  id: string
  token: string
  principal: string
  scopes: string[]
  createdAt: string
  expiresAt: string
}

const mint = (...args: string[]) => devflow.json<Minted>('tokens', 'mint', ...args)

/** Keeps a token that is on no list but ours, under an id of a test's choice. */
const keep = (id: string, { name = 'kept', lifeMs = 3_600_000 } = {}) =>
  mintToken(devflow.stack.pool, {
    id,
    tenant: 'default',
    hash: id.replaceAll('-', '').repeat(2),
    name,
    principal: `token:${id}`,
    scopes: ['runs:read', 'registry:read'],
    roles: [],
    actor: 'owner',
    lifeMs,
    parent: undefined,
  })

test('there may be none', async () => {
  const { code, stdout } = await devflow.run('tokens')
  expect([code, stdout]).toEqual([0, 'No tokens.\n'])
})

test('a token is shown once, on a line of its own, with whose it is, what it may and until when', async () => {
  const minted = await devflow.run(
    ...['tokens', 'mint', 'Ann', '--scope', 'runs:write,runs:read', '--scope', 'gates:decide'],
    ...['--principal', 'ann', '--role', 'lead', '--role', 'head of docs', '--expires-in', 'P30D'],
  )
  expect([minted.code, minted.stderr]).toEqual([0, ''])
  expect(minted.stdout).toMatch(
    /^id +[0-9a-f-]{36}\nname +Ann\nprincipal +ann\nroles +lead, head of docs\nscopes +runs:read, runs:write, gates:decide\nexpires +\S+Z\n\nThe token, shown this once:\ndfl_[\w-]{43}\n$/,
  )
  const [id = ''] = /[0-9a-f-]{36}/.exec(minted.stdout) ?? []
  const token = minted.stdout.split('\n').at(-2) ?? ''
  const { stdout } = await devflow.run('tokens')
  expect(stdout).toMatch(
    new RegExp(
      `^ID +NAME +PRINCIPAL +SCOPES +EXPIRES +BY\n${id} +Ann +ann +runs:read,runs:write,gates:decide +in (29|30)d +owner\n$`,
    ),
  )
  expect(stdout).not.toContain(token)
})

test('with a token its scopes may be used, and no others: 1; revoked it may nothing: 1', async () => {
  const { id, token, principal, scopes, createdAt, expiresAt } = await mint('nightly', '--scope', 'runs:read')
  expect([principal, scopes]).toEqual([`token:${id}`, ['runs:read']])
  expect(Date.parse(expiresAt) - Date.parse(createdAt)).toBe(90 * 86_400_000)
  const list = () => devflow.run('runs', 'list', '--token', token)
  expect(await list()).toMatchObject({ code: 0, stdout: 'No runs.\n' })

  const refused = await devflow.run('registry', 'list', '--token', token)
  expect([refused.code, refused.stdout]).toEqual([1, ''])
  expect(refused.stderr).toMatch(
    /PERMISSION_DENIED scope_missing\n {2}This takes the scope registry:read.*\n→ .*: devflow tokens mint\n$/,
  )
  const json = await devflow.run('tokens', 'list', '--token', token, '--json')
  expect([json.code, JSON.parse(json.stderr)]).toMatchObject([
    1,
    { error: { code: 'scope_missing', fix: expect.stringContaining('devflow tokens mint') } },
  ])

  expect((await devflow.run('tokens', 'revoke', id)).stdout).toBe(`${id} is revoked.\n`)
  const late = await list()
  expect([late.code, late.stdout]).toEqual([1, ''])
  expect(late.stderr).toMatch(/PERMISSION_DENIED unauthenticated\n {2}The token is not valid\.\n→ .*--token/)
  const again = await devflow.run('tokens', 'revoke', id)
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('token_not_found')])
  expect(again.stderr).toContain('→ see which there are: devflow tokens list')
})

test('who is no admin mints for themselves, and sees their own', async () => {
  const bob = await mint('bob', '--scope', 'tokens:write,runs:read', '--principal', 'bob')
  const as = (...args: string[]) => devflow.run('tokens', ...args, '--token', bob.token)
  expect((await as('mint', 'mine', '--scope', 'runs:read')).stdout).toMatch(/^principal +bob$/m)
  const names = (await as()).stdout.split('\n').map((line) => line.split(/ {2,}/)[1])
  expect(names).toEqual(['NAME', 'mine', 'bob', undefined])
  for (const more of [
    ['--scope', 'runs:write'],
    ['--scope', 'runs:read', '--principal', 'ann'],
  ])
    expect(await as('mint', 'theirs', ...more)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('scope_missing'),
    })
  await devflow.run('tokens', 'revoke', bob.id)
  expect((await as()).stderr).toContain('unauthenticated')
})

test('what there is no scope for, or no time, is bad usage: 2', async () => {
  const none = await devflow.run('tokens', 'mint', 'x')
  expect([none.code, none.stderr]).toEqual([
    2,
    expect.stringContaining("option '--scope <scope>' not specified"),
  ])
  for (const scope of ['runs', 'runs:read,frob', ',']) {
    const { code, stdout, stderr } = await devflow.run('tokens', 'mint', 'x', '--scope', scope)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(
      `'${scope}' is invalid. Allowed choices are runs:read, runs:write, gates:decide, `,
    )
  }
  for (const [duration, words] of [
    ['soon', 'expected an ISO 8601 duration such as PT30S or P3D'],
    ['PT0S', 'expected more than no time'],
  ] as const) {
    const { code, stderr } = await devflow.run(
      ...['tokens', 'mint', 'x', '--scope', 'runs:read', '--expires-in', duration],
    )
    expect([code, stderr]).toEqual([2, expect.stringContaining(words)])
  }
  expect((await devflow.run('tokens', 'list', '--limit', '0')).code).toBe(2)
})

test('tokens are listed a page at a time, the latest first, expired ones too', async () => {
  await keep('ffffffff-0000-7000-8000-000000000001', { name: 'old', lifeMs: -1 })
  await keep('ffffffff-0000-7000-8000-000000000002', { name: 'new' })
  const list = (...args: string[]) =>
    devflow.json<{ items: { name: string }[]; nextCursor: string }>('tokens', 'list', '--limit', '1', ...args)
  const first = await list()
  expect(first.items).toMatchObject([{ name: 'new', actor: 'owner', tenant: 'default' }])
  expect((await list('--cursor', first.nextCursor)).items).toMatchObject([{ name: 'old' }])
  const { stdout } = await devflow.run('tokens', 'list', '--limit', '2')
  expect(stdout).toMatch(/ new +token:\S+ +runs:read,registry:read +in \d+m +owner\n/)
  expect(stdout).toMatch(
    / old +token:\S+ +runs:read,registry:read +expired +owner\nMore with --cursor \S+\n$/,
  )
})

test('a token is meant by its id, or by a beginning that no other has', async () => {
  const revoke = (id: string) => devflow.run('tokens', 'revoke', id)
  await keep('eeeeeeee-0000-7000-8000-00000000000a')
  await keep('eeeeeeee-0000-7000-8000-00000000000b')
  const both = await revoke('eeeeeeee')
  expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('ambiguous_token')])
  expect(both.stderr).toContain('eeeeeeee-0000-7000-8000-00000000000b')
  for (const id of ['eeee', 'nonsense', 'dddddddd', 'dddddddd-0000-7000-8000-00000000000a'])
    expect(await revoke(id)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(new RegExp(`here is no token ${id}`)),
    })
  expect((await revoke('EEEEEEEE-0000-7000-8000-00000000000B')).code).toBe(0)
  expect(await devflow.json('tokens', 'revoke', 'eeeeeeee')).toEqual({
    id: 'eeeeeeee-0000-7000-8000-00000000000a',
    revoked: true,
  })
})

test('a token whose answer was lost is said to be of no use: 1', async () => {
  const id = '01985f2e-9c4e-7a10-b3d1-0a2b3c4d5e6f'
  const times = { createdAt: '2030-01-01T00:00:00.000Z', expiresAt: '2030-02-01T00:00:00.000Z' }
  const replayed = {
    id,
    name: 'x',
    scopes: ['admin'],
    principal: 'ann',
    tenant: 'default',
    actor: 'owner',
    ...times,
  }
  const url = await otherServer((_, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(replayed)),
  )
  const args = ['tokens', 'mint', 'x', '--scope', 'admin', '--url', url]
  const { code, stdout, stderr } = await runCommand(args)
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(
    new RegExp(`token_not_shown\n {2}the token ${id} .*\n→ .*: devflow tokens revoke <id>\n$`),
  )
  const json = await runCommand([...args, '--json'])
  expect([json.code, json.json()]).toEqual([1, [replayed]])
})

test('all of it is told in Korean where that is asked for', async () => {
  const korean = (...args: string[]) => devflow.run('tokens', ...args, '--lang', 'ko')
  const minted = await korean('mint', '철수', '--scope', 'runs:read', '--expires-in', 'PT8H')
  expect(minted.stdout).toMatch(/\n이름 +철수\n[\s\S]*\n토큰 \(지금만 보여 줍니다\):\ndfl_[\w-]{43}\n$/)
  const [id = ''] = /[0-9a-f-]{36}/.exec(minted.stdout) ?? []
  const token = minted.stdout.split('\n').at(-2) ?? ''
  expect((await korean()).stdout).toMatch(
    /^ID +이름 +주체 +권한 +만료 +발급자\n[\s\S]*철수 .*[78]h 뒤 +owner$/m,
  )
  expect((await korean('--token', token)).stderr).toMatch(
    /허용되지 않음[\s\S]*→ .*발급.*: devflow tokens mint/,
  )
  expect((await korean('mint', 'x', '--scope', 'frob')).stderr).toContain('쓸 수 있는 값: runs:read, ')
  expect((await korean('revoke', id)).stdout).toBe(`${id} 토큰을 폐기했습니다.\n`)
})

test.runIf(hasTmux)('in a terminal the list fits it, and its short ids are good to revoke by', async () => {
  await devflow.stack.pool.query('delete from devflow.tokens')
  await mint('Ann', '--scope', 'runs:read,gates:decide', '--principal', 'ann')
  const { id } = await mint('A pipeline of each night', '--scope', 'runs:read,runs:write,tokens:write')
  const terminal = await openTerminal(`"${process.execPath}" "${CLI_MAIN}" tokens`, {
    columns: 80,
    env: { ...ownEnv(), ...devflow.env },
  })
  const screen = await terminal.until((text) => text.includes('exit='))
  const steady = screen.replace(/[0-9a-f]{8}(?=[-…])/g, '01234567').replace(/-[0-9a-f]{4} /g, '-89ab ')
  expect(steady.replaceAll('in 90d', 'in 89d')).toMatchInlineSnapshot(`
    "ID             NAME             PRINCIPAL        SCOPES           EXPIRES  BY
    01234567-89ab  A pipeline of…   token:01234567…  runs:read,runs…  in 89d   owner
    01234567-89ab  Ann              ann              runs:read,gate…  in 89d   owner
    exit=0"
  `)
  const shown = screen.split('\n')[1]?.split(' ')[0] ?? ''
  expect(shown).toHaveLength(13)
  expect((await devflow.run('tokens', 'revoke', shown)).stdout).toBe(`${id} is revoked.\n`)
})
