import { get, type IncomingMessage } from 'node:http'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Listening, listen } from '../listen.ts'
import { COMPLETED, type Line, type TestApi, testApi } from '../test-api.fixture.ts'

let api: TestApi
let listening: Listening
beforeAll(async () => {
  api = await testApi({}, afterAll)
  listening = await listen(api.api, { host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  api.close()
  await listening.close()
})

const GROUPS = 25
const CHUNKS = 100
const TEXT = 'x'.repeat(6_000)
const SLOW = 20

const chunk = (n: number): Line => ({
  ...{ type: 'chunk', key: `pause/1/1/1/${n}`, phase: 'pause', attempt: 1, turn: 1, delivery: 1 },
  ...{ kind: 'token', text: TEXT },
})

/** A client over a socket of its own, which has not begun to read. */
async function client(run: string): Promise<IncomingMessage> {
  const url = `http://127.0.0.1:${listening.port}/v1/runs/${run}/events?chunks=true`
  return await new Promise((resolve, reject) => {
    get(url, { headers: { accept: 'text/event-stream' }, agent: false }, resolve).on('error', reject)
  })
}

async function seqsOf(response: IncomingMessage): Promise<number[]> {
  let text = ''
  for await (const piece of response.setEncoding('latin1')) text += piece.replaceAll(TEXT, '')
  return [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))
}

/** What lies in buffers, in MB: frames, and what sockets have not taken yet. */
function buffersMb(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().arrayBuffers / 2 ** 20
}

test('20 clients that do not read cost no more than the ring, while others keep up, and then get it all', async () => {
  const { id } = await api.submit()
  const slow = await Promise.all(Array.from({ length: SLOW }, () => client(id)))
  const fast = seqsOf(await client(id))
  const before = buffersMb()
  for (let group = 0; group < GROUPS; group++) {
    await api.append(id, ...Array.from({ length: CHUNKS }, (_, n) => chunk(group * CHUNKS + n)))
  }
  await api.append(id, COMPLETED)
  const all = Array.from({ length: GROUPS * CHUNKS + 2 }, (_, n) => n + 1)
  expect(await fast).toEqual(all)
  // Of 15 MB of log; the ring holds 4.
  await expect.poll(() => buffersMb() - before, { timeout: 30_000 }).toBeLessThan(9)
  const [one, other, ...rest] = slow
  for (const response of rest) response.destroy()
  if (!one || !other) throw new Error('there are no clients')
  expect(await Promise.all([seqsOf(one), seqsOf(other)])).toEqual([all, all])
}, 120_000)
