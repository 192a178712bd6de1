import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { PutWebhook } from '@devflow/contracts'
import { listDeliveries, putWebhook, readWebhook, replayDeliveries } from '@devflow/db'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { useStack } from '../support/stack.ts'

const stack = useStack({
  DEVFLOW_WEBHOOK_PRIVATE_HOSTS: '127.0.0.1',
  DEVFLOW_WEBHOOK_PAUSES_MS: '50,50',
  DEVFLOW_WEBHOOK_TIMEOUT_MS: '1000',
})

const SECRET = `whsec_${Buffer.from('a secret of thirty-two bytes, all').toString('base64')}`
const TEMPLATE = (id: string) => `
kind: template
id: ${id}@1
phases: [{ id: go, wait: { signal: go } }]
`

interface Message {
  path: string
  headers: IncomingMessage['headers']
  body: string
}

let receiver: Server
let address: string
const messages: Message[] = []
/** What to answer with, by path, one after the other; then 204. */
const answers = new Map<string, (number | 'nothing')[]>()

beforeAll(async () => {
  receiver = createServer(async (request, response) => {
    const path = request.url ?? ''
    messages.push({ path, headers: request.headers, body: await text(request) })
    const answer = answers.get(path)?.shift() ?? 204
    if (answer !== 'nothing') response.writeHead(answer).end()
  })
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  address = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`
})
afterAll(() => receiver.closeAllConnections())
afterAll(() => new Promise((resolve) => receiver.close(resolve)))

const put = (id: string, webhook: Partial<PutWebhook> = {}) =>
  putWebhook(
    stack.pool,
    { tenant: 'default', id, actor: 'owner', secret: SECRET },
    { url: `${address}/${id}`, events: ['run.completed'], template: id, ...webhook },
  )
const told = (id: string) => messages.filter(({ path }) => path === `/${id}`)
const deliveriesOf = async (webhook: string) =>
  (await listDeliveries(stack.pool, { tenant: 'default', webhook }, { limit: 50 })).items
const settled = (id: string, count = 1) =>
  vi.waitFor(
    async () => {
      const deliveries = await deliveriesOf(id)
      expect(deliveries.filter(({ status }) => status !== 'pending')).toHaveLength(count)
      return deliveries
    },
    { timeout: 15_000, interval: 50 },
  )
const complete = async (id: string) => {
  const run = await stack.submit(TEMPLATE(id))
  await stack.signal(run, 'go', 's1', { n: 1 })
  await stack.untilStatus(run, 'completed')
  return run
}

test('a receiver is told what it asked for, signed, until it takes it, under one id', async () => {
  answers.set('/told', [500, 302, 204])
  await put('told', { events: ['run.completed', 'wait.*'] })
  const run = await complete('told')
  const deliveries = await settled('told', 3)
  expect(deliveries.map(({ type, status }) => [type, status]).sort()).toEqual([
    ['run.completed', 'delivered'],
    ['wait.closed', 'delivered'],
    ['wait.opened', 'delivered'],
  ])
  for (const { headers, body } of told('told')) {
    const said = new Webhook(SECRET).verify(body, headers as Record<string, string>)
    expect(said).toMatchObject({ data: { run: { id: run }, event: { runId: run } } })
  }
  expect(told('told')).toHaveLength(5)
  expect(new Set(told('told').map(({ headers }) => headers['webhook-id'])).size).toBe(3)
  const end = told('told')
    .map(({ body }) => JSON.parse(body))
    .find(({ type }) => type === 'run.completed')
  expect(end.data.event).toMatchObject({ type: 'run.completed', key: 'round/1/end' })
})

test('people are reminded of a gate that is open, with who is asked and since when', async () => {
  await put('reminded', { events: ['gate.*'], template: 'gates' })
  const gate = 'title: "Go on?", approvers: ["principal:ann"], remindEvery: PT1S'
  const run = await stack.submit(`
kind: template
id: gates@1
phases: [{ id: ok, gate: { ${gate} } }]
`)
  await vi.waitFor(
    () =>
      expect(told('reminded').filter(({ body }) => JSON.parse(body).type === 'gate.reminded')).not.toEqual(
        [],
      ),
    { timeout: 15_000, interval: 50 },
  )
  await stack.decide(run, 'ok', { actor: 'ann' })
  await stack.untilStatus(run, 'completed')
  const events = (await stack.standing(run)).types.filter((type) => type.startsWith('gate.'))
  await settled('reminded', events.length)
  const said = told('reminded').map(
    ({ body, headers }) =>
      new Webhook(SECRET).verify(body, headers as Record<string, string>) as {
        type: string
        data: { event: { data: Record<string, unknown> } }
      },
  )
  expect(said.map(({ type }) => type).sort()).toEqual([...events].sort())
  const first = said.find(({ type, data }) => type === 'gate.reminded' && data.event.data.nth === 1)
  expect(first?.data.event.data).toMatchObject({ gate: 'ok', title: 'Go on?', to: ['principal:ann'] })
})

test('what is given up is dead, and can be tried anew', async () => {
  answers.set('/dead', [500, 500, 500])
  await put('dead')
  await complete('dead')
  expect(await settled('dead')).toMatchObject([{ status: 'dead', attempts: 3, answered: 500 }])
  expect(await readWebhook(stack.pool, 'default', 'dead')).toMatchObject({ dead: 1, pending: 0 })
  const [delivery] = await deliveriesOf('dead')
  expect(
    await replayDeliveries(stack.pool, { tenant: 'default', webhook: 'dead', message: delivery?.id }),
  ).toBe(1)
  expect(await settled('dead')).toMatchObject([{ status: 'delivered', attempts: 1, answered: 204 }])
})

test('a receiver that is gone is not told again', async () => {
  answers.set('/gone', [410])
  await put('gone')
  await complete('gone')
  await settled('gone')
  expect(await readWebhook(stack.pool, 'default', 'gone')).toMatchObject({
    enabled: false,
    offBecause: expect.stringContaining('410'),
  })
  await complete('gone')
  expect(await deliveriesOf('gone')).toHaveLength(1)
})

test('addresses of this machine and private networks are refused, whatever name leads there', async () => {
  const { port } = receiver.address() as AddressInfo
  await put('inside', { url: `http://localhost:${port}/inside` })
  await put('inside-too', { url: 'http://10.0.0.1:9/x', template: 'inside' })
  await complete('inside')
  for (const id of ['inside', 'inside-too']) {
    const [delivery] = await settled(id)
    expect(delivery).toMatchObject({ status: 'dead', error: expect.stringMatching(/not allowed/i) })
  }
  expect(told('inside')).toEqual([])
})

test('a delivery under way when its worker is killed is made again', async () => {
  answers.set('/killed', ['nothing'])
  await put('killed')
  await complete('killed')
  await vi.waitFor(() => expect(told('killed')).toHaveLength(1), { timeout: 10_000 })
  await stack.worker.kill()
  await stack.startWorker()
  expect(await settled('killed')).toMatchObject([{ status: 'delivered' }])
  expect(new Set(told('killed').map(({ headers }) => headers['webhook-id'])).size).toBe(1)
})
