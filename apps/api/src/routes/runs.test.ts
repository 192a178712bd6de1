import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { COMPLETED, STARTED, type TestApi, testApi } from '../test-api.fixture.ts'

let api: TestApi
beforeAll(async () => {
  api = await testApi({}, afterAll)
})

describe('submitting', () => {
  test('answers 201 with the committed run, where it is, and an outbox row that wakes it', async () => {
    const body = {
      template: 'test/echo@1',
      input: { request: 'hello' },
      labels: { team: 'a' },
      budget: { limitMicroUsd: 4.51 },
    }
    const made = await api.call('/v1/runs', { json: body })
    expect(made.status).toBe(201)
    expect(made.headers.get('location')).toBe(`/v1/runs/${made.body.id}`)
    expect(made.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
      template: 'test/echo@1',
      definitionHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      status: 'queued',
      input: { request: 'hello' },
      labels: { team: 'a' },
      phases: [{ id: 'pause', kind: 'wait', status: 'pending', attempt: 1 }],
      usage: { inputTokens: 0, outputTokens: 0, costMicroUsd: 0, unsettledMicroUsd: 0 },
      budget: {
        limitMicroUsd: 4.51,
        spentMicroUsd: 0,
        reservedMicroUsd: 0,
        spentTokens: 0,
        reservedTokens: 0,
      },
      actor: 'owner',
      attempt: 1,
      createdAt: expect.any(String),
      lastSeq: 1,
    })
    expect((await api.call(`/v1/runs/${made.body.id}`)).body).toEqual(made.body)
    const outbox = await api.deps.pool.query('select 1 from devflow.outbox where run_id = $1', [made.body.id])
    expect(outbox.rowCount).toBe(1)
  })

  test.each([
    [{ input: {} }, 'invalid', 'template'],
    [{ template: 'test/echo@1', input: {} }, 'invalid_input', 'input.request'],
    [{ template: 'test/echo@1', input: { request: 'x' }, nope: 1 }, 'invalid', 'nope'],
    [
      { template: 'test/echo@1', input: { request: 'x' }, budget: { limitMicroUsd: '5' } },
      'invalid',
      'budget.limitMicroUsd',
    ],
    [
      { template: 'test/echo@1', input: { request: 'x' }, bindings: { who: 'x@1' } },
      'binding_failed',
      'bindings.who',
    ],
    [{ template: 'spec-and-review@1', input: { request: 'x' } }, 'missing_key', 'roles.reviewer'],
  ])('refuses %j as %s at %s and keeps nothing', async (json, code, path) => {
    const before = (await api.call('/v1/runs?limit=200')).body.items.length
    const refused = await api.call('/v1/runs', { json })
    expect(refused).toMatchObject({ status: 400, body: { kind: 'INVALID', code } })
    expect(refused.body.errors.map((error: { path: string }) => error.path)).toContain(path)
    expect((await api.call('/v1/runs?limit=200')).body.items).toHaveLength(before)
  })

  test('an input that is null stays null', async () => {
    const nothing = { kind: 'template', id: 'test/nothing@1', input: { type: ['object', 'null'] } }
    const entry = { ...nothing, phases: [{ id: 'pause', wait: { signal: 'go' } }] }
    await api.call('/v1/registry/changes', { json: { changes: [{ op: 'create', entry }] } })
    for (const [input, kept] of [
      [null, null],
      [undefined, {}],
    ])
      expect(await api.call('/v1/runs', { json: { template: 'test/nothing@1', input } })).toMatchObject({
        status: 201,
        body: { input: kept },
      })
    expect(await api.call('/v1/runs', { json: { template: 'test/echo@1', input: null } })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'input', message: 'must be object' }] },
    })
  })

  test('a missing key is named with its variable and the command that stores it', async () => {
    const { body } = await api.call('/v1/runs', {
      json: { template: 'spec-and-review@1', input: { request: 'x' } },
    })
    expect(JSON.stringify(body.errors)).toMatch(/OPENROUTER_API_KEY.*devflow login/)
  })

  test('an unknown template and an unknown parent are 404', async () => {
    const template = await api.call('/v1/runs', { json: { template: 'test/none@1' } })
    expect(template).toMatchObject({ status: 404, body: { kind: 'NOT_FOUND', code: 'template_not_found' } })
    const json = { template: 'test/echo@1', input: { request: 'x' }, parent: crypto.randomUUID() }
    expect(await api.call('/v1/runs', { json })).toMatchObject({
      status: 404,
      body: { code: 'run_not_found' },
    })
  })

  test('a repository outside the roots is refused, and a folder that is none', async () => {
    const submit = (repo: string) =>
      api.call('/v1/runs', {
        json: { template: 'test/echo@1', input: { request: 'x' }, workspace: { repo } },
      })
    expect(await submit('/')).toMatchObject({ status: 403, body: { code: 'workspace_outside_roots' } })
    expect(await submit(`${api.folder}/../..`)).toMatchObject({
      status: 403,
      body: { code: 'workspace_outside_roots' },
    })
    expect(await submit(api.folder)).toMatchObject({ status: 400, body: { code: 'not_a_repository' } })
    expect(await submit(`${api.folder}/nothing`)).toMatchObject({
      status: 400,
      body: { code: 'not_a_repository' },
    })
  })

  test('text that Postgres cannot hold is made storable, and secrets do not get in', async () => {
    const run = await api.submit({ input: { request: 'a\u0000b\ud800', secret: 'pw-of-nobody' } })
    expect((await api.call(`/v1/runs/${run.id}`)).body.input.request).toBe('a\uFFFDb\uFFFD')
  })

  test('with Prefer: wait the answer comes when the run is over', async () => {
    const waiting = api.call('/v1/runs', {
      json: { template: 'test/echo@1', input: { request: 'x' }, labels: { waits: 'yes' } },
      headers: { prefer: 'respond-async, wait=20', 'idempotency-key': 'waits' },
    })
    let id = ''
    await expect
      .poll(async () => {
        const { items } = (await api.call('/v1/runs?label.waits=yes')).body
        id = items[0]?.id ?? ''
        return items.length
      })
      .toBe(1)
    await api.append(id, ...STARTED)
    await api.append(id, COMPLETED)
    const answer = await waiting
    expect(answer).toMatchObject({ status: 201, body: { id, status: 'completed', output: { ok: true } } })
    expect(answer.headers.get('preference-applied')).toBe('wait=20')
    const again = await api.call('/v1/runs', {
      json: { template: 'test/echo@1', input: { request: 'x' }, labels: { waits: 'yes' } },
      headers: { 'idempotency-key': 'waits' },
    })
    expect(again).toMatchObject({ status: 200, body: answer.body })
  })

  test('it comes neither while a cancel is on its way nor when the signal is there that was waited for', async () => {
    const waiting = async () => {
      const { id } = await api.submit()
      await api.append(id, ...STARTED)
      await api.append(
        id,
        { type: 'wait.opened', key: 'pause/1/opened', phase: 'pause', attempt: 1, data: { signal: 'go' } },
        { type: 'run.waiting', key: 'run/waiting/1' },
      )
      expect(await wait(id)).toMatchObject({ status: 'waiting', waitingFor: [{ id: 'pause' }] })
      return id
    }
    const wait = async (id: string) =>
      (await api.call(`/v1/runs/${id}`, { headers: { prefer: 'wait=20' } })).body
    for (const command of ['signals/other', 'signals/go', 'cancel']) {
      const id = await waiting()
      expect(await api.call(`/v1/runs/${id}/${command}`, { json: {} })).toMatchObject({ status: 202 })
      const end = wait(id)
      if (command === 'signals/other') {
        expect(await end).toMatchObject({ status: 'waiting' })
        continue
      }
      const isFirst = await Promise.race([end.then(() => false), api.append(id, COMPLETED).then(() => true)])
      expect(isFirst, command).toBe(true)
      expect(await end).toMatchObject({ status: 'completed' })
    }
  })

  test('a wait that runs out answers with the run as it is', async () => {
    const run = await api.submit()
    const answer = await api.call(`/v1/runs/${run.id}`, { headers: { prefer: 'wait=1' } })
    expect(answer).toMatchObject({ status: 200, body: { status: 'queued' } })
  })
})

describe('the view', () => {
  test('shows where the run stands, what it waits for and what it cost, to the last decimal', async () => {
    const run = await api.submit()
    const call = (n: number, micro: number) => [
      {
        type: 'call.reserved',
        key: `pause/1/${n}/call-1/reserved`,
        phase: 'pause',
        attempt: 1,
        turn: n,
        data: {
          call: 1,
          persona: 'p@1',
          provider: 'openrouter',
          model: 'm',
          reservedMicroUsd: 10.5,
          reservedTokens: 10,
        },
      },
      {
        type: 'call.settled',
        key: `pause/1/${n}/call-1/settled`,
        phase: 'pause',
        attempt: 1,
        turn: n,
        data: {
          call: 1,
          status: 'settled',
          costMicroUsd: micro,
          costSource: 'provider',
          inputTokens: 3,
          outputTokens: 4,
        },
      },
    ]
    await api.append(run.id, ...STARTED, ...call(1, 0.1), ...call(2, 0.2), ...call(3, 4.510001).slice(0, 1))
    await api.append(
      run.id,
      { type: 'wait.opened', key: 'pause/1/opened', phase: 'pause', attempt: 1, data: { signal: 'go' } },
      { type: 'run.waiting', key: 'run/waiting/1' },
    )
    const { body } = await api.call(`/v1/runs/${run.id}`)
    expect(body).toMatchObject({
      status: 'waiting',
      phases: [{ id: 'pause', status: 'waiting', attempt: 1, startedAt: expect.stringMatching(/Z$/) }],
      waitingFor: [{ kind: 'wait', id: 'pause', since: expect.stringMatching(/Z$/) }],
      usage: { inputTokens: 6, outputTokens: 8, costMicroUsd: 0.3, unsettledMicroUsd: 10.5 },
    })
    const { items } = (await api.call(`/v1/runs/${run.id}/calls`)).body
    expect(items).toHaveLength(3)
    expect(items[0]).toMatchObject({
      id: 'pause/1/1/call-1',
      status: 'settled',
      costMicroUsd: 0.1,
      costSource: 'provider',
    })
    const first = (await api.call(`/v1/runs/${run.id}/calls?limit=2`)).body
    const rest = (await api.call(`/v1/runs/${run.id}/calls?limit=2&cursor=${first.nextCursor}`)).body
    expect([...first.items, ...rest.items]).toEqual(items)
    expect((await api.call(`/v1/runs/${run.id}/phases`)).body.items).toHaveLength(1)
  })

  test('an id that is no id is the id of no run', async () => {
    for (const id of ['x', '%00', crypto.randomUUID(), '..%2f', 'a'.repeat(3000)]) {
      expect(await api.call(`/v1/runs/${id}`)).toMatchObject({ status: 404, body: { kind: 'NOT_FOUND' } })
    }
  })
})

describe('the list', () => {
  test('is newest first, filtered, and paged without a gap', async () => {
    const ids: string[] = []
    for (let i = 0; i < 5; i++) ids.unshift((await api.submit({ labels: { list: 'mine', n: String(i) } })).id)
    const list = async (query: string) => (await api.call(`/v1/runs?${query}`)).body
    const of = (page: { items: { id: string }[] }) => page.items.map((item) => item.id)
    expect(of(await list('label.list=mine'))).toEqual(ids)
    expect(of(await list('label.list=mine&label.n=2'))).toEqual([ids[2]])
    const first = await list('label.list=mine&limit=2')
    const second = await list(`label.list=mine&limit=2&cursor=${first.nextCursor}`)
    const third = await list(`label.list=mine&limit=2&cursor=${second.nextCursor}`)
    expect([first, second, third].flatMap(of)).toEqual(ids)
    expect(third.nextCursor).toBeUndefined()
    for (const template of ['test/echo', 'test/echo@1', 'devflow:test/echo', 'devflow:test/echo@1']) {
      expect(of(await list(`label.list=mine&template=${template}`))).toEqual(ids)
    }
    for (const template of ['test/ech', 'test/echo@2', 'other:test/echo']) {
      expect(of(await list(`label.list=mine&template=${template}`))).toEqual([])
    }
    expect(of(await list('label.list=mine&status=queued,running'))).toEqual(ids)
    expect(of(await list('label.list=mine&status=failed'))).toEqual([])
    const { createdAt } = (await api.call(`/v1/runs/${ids[2]}`)).body
    expect(of(await list(`label.list=mine&createdAfter=${createdAt}`))).toEqual(ids.slice(0, 3))
    expect(of(await list(`label.list=mine&createdBefore=${createdAt}`))).toEqual(ids.slice(3))
  })

  test.each([
    'limit=0',
    'limit=201',
    'limit=x',
    'nope=1',
    'status=open',
    'cursor=x',
    'createdAfter=today',
    'limit=1&limit=2',
    'template=%20',
  ])('refuses %s', async (query) => {
    expect(await api.call(`/v1/runs?${query}`)).toMatchObject({
      status: 400,
      body: { kind: 'INVALID', errors: [{ path: query.split('=')[0] }] },
    })
  })
})

describe('deleting', () => {
  test('a finished run leaves a tombstone; one under way stays', async () => {
    const run = await api.submit({}, { 'idempotency-key': 'to-delete' })
    const remove = () => api.call(`/v1/runs/${run.id}`, { method: 'DELETE' })
    expect(await remove()).toMatchObject({ status: 409, body: { code: 'run_not_over' } })
    await api.append(run.id, COMPLETED)
    expect(await remove()).toMatchObject({ status: 204 })
    expect(await remove()).toMatchObject({ status: 204 })
    for (const path of ['', '/events', '/gates', '/calls', '/artifacts', '/report']) {
      expect(await api.call(`/v1/runs/${run.id}${path}`)).toMatchObject({
        status: 404,
        body: { code: 'run_deleted' },
      })
    }
    // The key lived as long as the run.
    expect((await api.submit({}, { 'idempotency-key': 'to-delete' })).id).not.toBe(run.id)
  })
})
