import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { COMPLETED, FAILED, STARTED, type TestApi, testApi } from '../test-api.fixture.ts'

let api: TestApi
beforeAll(async () => {
  api = await testApi({}, afterAll)
})

/** A folder that looks like a repository with `main` checked out. */
async function repository(name: string): Promise<string> {
  const folder = join(api.folder, name)
  await mkdir(join(folder, '.git'), { recursive: true })
  await writeFile(join(folder, '.git/HEAD'), 'ref: refs/heads/main\n')
  return folder
}

const submit = (repo: string, more: object = {}, key?: string) =>
  api.call('/v1/runs', {
    json: { template: 'test/echo@1', input: { request: 'x' }, workspace: { repo, exclusive: true, ...more } },
    ...(key ? { headers: { 'idempotency-key': key } } : {}),
  })

test('one run at a time has a repository and base for itself; the refusal names it', async () => {
  const repo = await repository('held')
  const first = await submit(repo)
  expect(first).toMatchObject({ status: 201, body: { workspace: { base: 'main', exclusive: true } } })
  for (const base of [undefined, 'main', 'refs/heads/main', 'HEAD']) {
    const refused = await submit(repo, base ? { base } : {})
    expect(refused).toMatchObject({ status: 409, body: { kind: 'CONFLICT', code: 'workspace_busy' } })
    expect(refused.body.detail).toContain(first.body.id)
  }
  expect((await submit(repo, { base: 'other' })).status).toBe(201)
  expect((await submit(await repository('another'))).status).toBe(201)
  // Who does not ask for it for himself works on a clone of his own.
  expect((await submit(repo, { exclusive: false })).status).toBe(201)
})

test('of many that ask at once one gets it, and nothing is left of the others', async () => {
  const repo = await repository('asked-for')
  const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => submit(repo, {}, `slot-${n}`)))
  expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(409)])
  const { rows } = await api.deps.pool.query(`select 1 from devflow.runs where workspace->>'repo' = $1`, [
    repo,
  ])
  expect(rows).toHaveLength(1)
})

test('it is free once its run is over, whoever wrote the end, and a retry takes it again', async () => {
  const repo = await repository('freed')
  const first = await submit(repo)
  await api.append(first.body.id, ...STARTED, FAILED)
  const second = await submit(repo)
  expect(second.status).toBe(201)
  const busy = await api.call(`/v1/runs/${first.body.id}/retry`, { json: {} })
  expect(busy).toMatchObject({ status: 409, body: { code: 'workspace_busy' } })
  expect(busy.body.detail).toContain(second.body.id)

  await api.append(second.body.id, ...STARTED, COMPLETED)
  expect((await api.call(`/v1/runs/${first.body.id}/retry`, { json: {} })).status).toBe(202)
  expect((await submit(repo)).body.detail).toContain(first.body.id)
})

test('an address is taken where the operator allows it', async () => {
  const allowing = await testApi({ DEVFLOW_WORKSPACE_URLS: 'https://git.example/acme/*' })
  const named = (repo: string) =>
    allowing.call('/v1/runs', {
      json: { template: 'test/echo@1', input: { request: 'x' }, workspace: { repo } },
    })
  expect(await named('https://git.example/acme/app.git')).toMatchObject({
    status: 201,
    body: { workspace: { repo: 'https://git.example/acme/app.git' } },
  })
  for (const repo of [
    'https://git.example/other.git',
    'https://me:pw@git.example/acme/app.git',
    'ext::sh -c id',
  ])
    expect(await named(repo)).toMatchObject({ status: 403, body: { code: 'workspace_outside_roots' } })
})
