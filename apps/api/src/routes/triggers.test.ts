import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { submitDue } from '../submissions/submitter.ts'
import { type TestApi, testApi } from '../test-api.fixture.ts'

let api: TestApi
beforeAll(async () => {
  api = await testApi({}, afterAll)
})

const cel = (expression: string) => `\${{ ${expression} }}`
const put = (id: string, json: unknown) => api.call(`/v1/triggers/${id}`, { method: 'PUT', json })
const publish = (topic: string, data?: unknown) => api.call('/v1/events', { json: { topic, data } })
const submit = (request: unknown, labels?: unknown) => ({
  template: 'test/echo@1',
  input: { request },
  ...(labels ? { labels } : {}),
})
const runsOf = async (label: string) =>
  (await api.call(`/v1/runs?label.of=${label}`)).body.items as {
    input: unknown
    actor: string
    labels: unknown
  }[]
/** What became of a trigger's latest occasion, once it is settled: the API's own submitter may have it. */
const settled = (id: string) =>
  vi.waitFor(async () => {
    await submitDue(api.deps)
    const { last } = (await api.call(`/v1/triggers/${id}`)).body
    expect(last.status).not.toBe('waiting')
    return last
  })

test('each event that matches submits a run once, with what the event says in it', async () => {
  const trigger = {
    topic: 'shop.*.paid',
    match: cel('event.data.total > 100'),
    submit: submit(`order ${cel('event.data.order')} of ${cel('event.topic')}`, {
      of: 'large',
      total: cel('event.data.total'),
    }),
  }
  expect(await put('large', trigger)).toMatchObject({ status: 200, body: { id: 'large', enabled: true } })
  await publish('shop.eu.paid', { order: 1, total: 250 })
  await publish('shop.eu.paid', { order: 2, total: 50 })
  await publish('shop.paid', { order: 3, total: 500 })
  await Promise.all([submitDue(api.deps), submitDue(api.deps), submitDue(api.deps)])
  expect(await settled('large')).toMatchObject({ status: 'submitted', runId: expect.any(String) })
  expect(await runsOf('large')).toMatchObject([
    {
      input: { request: 'order 1 of shop.eu.paid' },
      actor: 'trigger/large',
      labels: { of: 'large', total: '250' },
    },
  ])
})

test('a run that cannot be submitted is told where the trigger is read, and holds nobody up', async () => {
  await put('broken', { topic: 'broken', submit: { template: 'test/none@1' } })
  await put('wrong', { topic: 'broken', submit: submit(cel('event.data.deep.deeper')) })
  await put('fine', { topic: 'broken', submit: submit('x', { of: 'fine' }) })
  await publish('broken', { of: 'nothing' })
  expect(await settled('broken')).toMatchObject({ status: 'failed', error: { code: 'template_not_found' } })
  expect(await settled('wrong')).toMatchObject({ status: 'failed', error: { code: 'expression_failed' } })
  expect(await settled('fine')).toMatchObject({ status: 'submitted' })
  expect(await runsOf('fine')).toHaveLength(1)
})

test('a trigger that is off, or deleted, starts nothing; an event before it is not for it', async () => {
  await publish('late', {})
  await put('late', { topic: 'late', submit: submit('x', { of: 'late' }) })
  await put('late', { topic: 'late', submit: submit('x', { of: 'late' }), enabled: false })
  await publish('late', {})
  await submitDue(api.deps)
  expect(await api.call('/v1/triggers/late', { method: 'DELETE' })).toMatchObject({ status: 204 })
  expect(await api.call('/v1/triggers/late')).toMatchObject({
    status: 404,
    body: { code: 'trigger_not_found' },
  })
  expect(await runsOf('late')).toEqual([])
})

test.each([
  [{ topic: 'a', match: cel('event.data.'), submit: submit('x') }, 'invalid_trigger', 'match'],
  [{ topic: 'a', match: `${cel('event.data.x')} y`, submit: submit('x') }, 'invalid_trigger', 'match'],
  [{ topic: 'a', match: cel('1 + 1'), submit: submit('x') }, 'invalid_trigger', 'match'],
  [{ topic: 'a', submit: submit(cel('phases.x.output')) }, 'invalid_trigger', 'submit.input.request'],
  [{ topic: 'a', submit: submit(cel('input.x')) }, 'invalid_trigger', 'submit.input.request'],
  [{ topic: 'a..b', submit: submit('x') }, 'invalid', 'topic'],
  [{ topic: 'a', submit: { ...submit('x'), colour: 1 } }, 'invalid', 'submit.colour'],
])('%j is refused', async (trigger, code, path) => {
  expect(await put('bad', trigger)).toMatchObject({ status: 400, body: { code, errors: [{ path }] } })
})

test('triggers are listed page by page', async () => {
  for (const id of ['page-a', 'page-b', 'page-c']) await put(id, { topic: 'never', submit: submit('x') })
  const seen: string[] = []
  for (let cursor = ''; ; ) {
    const { body } = await api.call(`/v1/triggers?limit=2${cursor}`)
    seen.push(...body.items.map(({ id }: { id: string }) => id))
    if (body.nextCursor === undefined) break
    cursor = `&cursor=${body.nextCursor}`
  }
  expect(seen.filter((id) => id.startsWith('page-'))).toEqual(['page-a', 'page-b', 'page-c'])
})
