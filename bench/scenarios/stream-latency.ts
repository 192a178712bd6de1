import { get } from 'node:http'
import type { Bench } from '../bench.ts'
import { type ClockProvider, PIECE, startClockProvider } from '../clock-provider.ts'
import { cpuMs } from '../cpu.ts'
import { judged, median, quantile, type Row, short } from '../figures.ts'
import { expectCompleted, type Stack } from '../stack.ts'

const PER_SECOND = 1_000
const CLIENTS = 200
const SECONDS = 5
const MOST_MS = 50
/** Clients that look at what they read; the others only read, so that the clients' own work is not what is measured. */
const LOOKS = 10

/**
 * From the provider's write of a piece to the read of a client that follows the run over SSE, through worker, Postgres
 * and API: a thousand pieces a second, 200 clients, spread over 20 runs and all on one.
 */
export async function streamLatency(bench: Bench): Promise<Row[]> {
  const provider = await startClockProvider()
  try {
    const stack = await bench.stack({ OPENAI_COMPATIBLE_BASE_URL: provider.baseURL })
    return [await row(bench, stack, provider, 20), await row(bench, stack, provider, 1)]
  } finally {
    await provider.close()
  }
}

async function row({ rounds }: Bench, stack: Stack, provider: ClockProvider, runs: number): Promise<Row> {
  const all: Round[] = []
  for (let n = 0; n <= rounds; n++) {
    const round = await play(stack, provider, runs)
    if (n > 0) all.push(round)
  }
  const of = (pick: (round: Round) => number) => median(all.map(pick))
  const p99 = of(({ ms }) => quantile(ms, 0.99))
  const { api } = stack.endpoints.pids
  const clients = runs === 1 ? `${CLIENTS} clients of one run` : `${CLIENTS} clients of ${runs} runs`
  return {
    scenario: `provider to SSE client, ${short(PER_SECOND)} chunks/s, ${clients}`,
    devflow: `p50 ${short(of(({ ms }) => quantile(ms, 0.5)))} ms, p99 ${short(p99)} ms (${short(of(({ cpu }) => cpu) * 1_000)} µs CPU a chunk, of these the API ${short(of(({ apiCpu }) => apiCpu) * 1_000)})`,
    aim: judged(`p99 ${MOST_MS} ms`, p99 <= MOST_MS && api > 0),
  }
}

interface Round {
  /** From provider to client, of each piece and each client that looks. */
  ms: number[]
  /** Processor time of one piece, in ms: of the whole stack, and of the API alone. */
  cpu: number
  apiCpu: number
}

async function play(stack: Stack, provider: ClockProvider, runs: number): Promise<Round> {
  const { api, pids } = stack.endpoints
  const ids = await Promise.all(
    Array.from({ length: runs }, () => stack.submit({ template: 'bench-stream@1', persona: 'clock@1' })),
  )
  await provider.asked(runs)
  const ms: number[] = []
  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, (_, n) =>
      follow(
        `${api}/v1/runs/${ids[n % runs]}/events?chunks=true`,
        Math.floor(n / runs) % LOOKS === 0 ? ms : undefined,
      ),
    ),
  )
  const before = { all: stack.cpuMs(), api: cpuMs([pids.api]) }
  await provider.answer({ perSecond: PER_SECOND / runs, seconds: SECONDS })
  await Promise.all(clients.map(({ ended }) => ended))
  const pieces = PER_SECOND * SECONDS
  const cpu = (stack.cpuMs() - before.all) / pieces
  const apiCpu = (cpuMs([pids.api]) - before.api) / pieces
  for (const id of ids) expectCompleted(await stack.settled(id))
  return { ms, cpu, apiCpu }
}

/** Follows a stream to its end; `ms` takes how long each piece was under way. Resolves when it has begun. */
async function follow(url: string, ms: number[] | undefined): Promise<{ ended: Promise<void> }> {
  return await new Promise((resolve, reject) => {
    const request = get(url, { headers: { accept: 'text/event-stream' }, agent: false }, (response) => {
      response.setEncoding('latin1').on('error', reject)
      const ended = new Promise<void>((settle) => response.once('end', settle))
      let rest = ''
      if (!ms) response.resume()
      else
        response.on('data', (text: string) => {
          const now = performance.now()
          rest += text
          const whole = rest.slice(0, rest.lastIndexOf('\n\n') + 2)
          rest = rest.slice(whole.length)
          for (const [, sent] of whole.matchAll(PIECE)) ms.push(now - Number(sent))
        })
      resolve({ ended })
    })
    request.on('error', reject)
  })
}
