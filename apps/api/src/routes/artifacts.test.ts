import type { Definition } from '@devflow/contracts'
import { putBlob, sha256 } from '@devflow/db'
import { checkInput } from '@devflow/definition'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { REPORT } from '../report-example.ts'
import { COMPLETED, STARTED, type TestApi, testApi } from '../test-api.fixture.ts'

let api: TestApi
beforeAll(async () => {
  api = await testApi({}, afterAll)
})

async function store(run: string, content: string) {
  return { sha256: await putBlob(api.deps.pool, run, content), bytes: Buffer.byteLength(content) }
}

test('artifacts are listed by version and read with their media type and hash', async () => {
  const { id } = await api.submit()
  await api.append(id, ...STARTED)
  for (const [version, content] of ['{"v":1}', '{"v":2}'].entries()) {
    const stored = await store(id, content)
    const data = { name: 'spec', version: version + 1, mediaType: 'application/json', ...stored }
    await api.append(id, {
      type: 'artifact.accepted',
      key: `pause/1/a${version}`,
      phase: 'pause',
      attempt: 1,
      data,
    })
  }
  const { items } = (await api.call(`/v1/runs/${id}/artifacts`)).body
  expect(items).toMatchObject([
    { name: 'spec', version: 1, mediaType: 'application/json', bytes: 7, phase: 'pause', attempt: 1 },
    { name: 'spec', version: 2, sha256: sha256('{"v":2}') },
  ])
  const latest = await api.request(`/v1/runs/${id}/artifacts/spec`)
  expect(await latest.text()).toBe('{"v":2}')
  expect(latest.headers.get('content-type')).toBe('application/json')
  expect(latest.headers.get('etag')).toBe(`"${sha256('{"v":2}')}"`)
  expect(latest.headers.get('content-security-policy')).toContain('sandbox')
  expect(await (await api.request(`/v1/runs/${id}/artifacts/spec?version=1`)).text()).toBe('{"v":1}')
  const known = { headers: { 'if-none-match': `W/"x", "${sha256('{"v":2}')}"` } }
  expect((await api.request(`/v1/runs/${id}/artifacts/spec`, known)).status).toBe(304)
  expect(await api.call(`/v1/runs/${id}/artifacts/spec?version=3`)).toMatchObject({
    status: 404,
    body: { code: 'artifact_not_found' },
  })
  expect(await api.call(`/v1/runs/${id}/artifacts/nope`)).toMatchObject({ status: 404 })
  expect(await api.call(`/v1/runs/${id}/artifacts/spec?version=0`)).toMatchObject({ status: 400 })
})

test('the report is 409 until there is one, then JSON or Markdown', async () => {
  const { id } = await api.submit()
  const json = JSON.stringify(REPORT)
  expect(await api.call(`/v1/runs/${id}/report`)).toMatchObject({
    status: 409,
    body: { kind: 'CONFLICT', code: 'no_report' },
  })
  const artifacts = [
    { name: 'report.json', version: 1, mediaType: 'application/json', ...(await store(id, json)) },
    { name: 'report.md', version: 1, mediaType: 'text/markdown', ...(await store(id, '# Ünder')) },
  ]
  await api.append(id, { type: 'report.written', key: 'round/1/report', data: { artifacts } }, COMPLETED)
  const report = async (accept?: string) => {
    const response = await api.request(`/v1/runs/${id}/report`, {
      headers: accept === undefined ? {} : { accept },
    })
    return [response.headers.get('content-type'), await response.text()]
  }
  expect(await report()).toEqual(['application/json', json])
  expect(await report('*/*')).toEqual(['application/json', json])
  expect(await report('text/markdown')).toEqual(['text/markdown; charset=utf-8', '# Ünder'])
  expect(await report('application/json, text/markdown')).toEqual(['application/json', json])
})

test('a report names its schema, which it satisfies', async () => {
  const { id } = await api.submit()
  const artifacts = [
    {
      name: 'report.json',
      version: 1,
      mediaType: 'application/json',
      ...(await store(id, JSON.stringify(REPORT))),
    },
  ]
  await api.append(id, { type: 'report.written', key: 'round/1/report', data: { artifacts } }, COMPLETED)
  const report = await api.request(`/v1/runs/${id}/report`)
  const where = /^<(.+)>; rel="describedby"$/.exec(report.headers.get('link') ?? '')?.[1] ?? ''
  expect(where).toBe('/schemas/report-1.json')
  const schema = await api.request(where)
  const input = (await schema.json()) as Definition['input']
  expect(checkInput({ input } as Definition, await report.json())).toEqual([])
  expect(checkInput({ input } as Definition, { ...REPORT, phases: [{ id: 'spec' }] })).not.toEqual([])
})

test('the audit shows each tool call, what was decided and what came of it', async () => {
  const { id } = await api.submit()
  const at = { phase: 'pause', attempt: 1, turn: 1 }
  const big = await store(
    id,
    JSON.stringify({ id: 'b', name: 'read_file', ok: true, content: 'x', bytes: 9_000 }),
  )
  await api.append(
    id,
    ...STARTED,
    {
      type: 'tool.called',
      key: 'pause/1/1/tool/a/called',
      ...at,
      data: { id: 'a', name: 'list_dir', args: { path: '.' } },
    },
    {
      type: 'tool.called',
      key: 'pause/1/1/tool/b/called',
      ...at,
      data: { id: 'b', name: 'read_file', args: { path: 'x' } },
    },
    {
      type: 'tool.called',
      key: 'pause/1/1/tool/c/called',
      ...at,
      data: { id: 'c', name: 'run_command', args: { argv: ['ls'] } },
    },
    { type: 'tool.denied', key: 'pause/1/1/tool/a/completed', ...at, data: { id: 'a', bytes: 3 } },
    { type: 'tool.completed', key: 'pause/1/1/tool/b/completed', ...at, data: { $blob: big.sha256 } },
  )
  const { items } = (await api.call(`/v1/runs/${id}/audit`)).body
  expect(items).toMatchObject([
    { seq: 4, tool: 'list_dir', args: { path: '.' }, decision: 'denied', bytes: 3, phase: 'pause', turn: 1 },
    { seq: 5, tool: 'read_file', decision: 'allowed', bytes: 9_000 },
    { seq: 6, tool: 'run_command', args: { argv: ['ls'] }, decision: 'allowed' },
  ])
  const page = (await api.call(`/v1/runs/${id}/audit?limit=2`)).body
  const rest = (await api.call(`/v1/runs/${id}/audit?limit=2&cursor=${page.nextCursor}`)).body
  expect([...page.items, ...rest.items]).toEqual(items)
})
