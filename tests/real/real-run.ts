import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Call, DevflowClient, type Run } from '@devflow/client'
import { type Forwarder, scrubbed, startForwarder, writeRecording } from '@devflow/testing'
import { ROOT, startRealStack } from './stack.ts'

const REQUEST =
  'Let `devflow runs` show only the runs of one template, by an option `--template <id>`. Read apps/cli/src/commands/runs.ts first. ' +
  'Write at most four requirements, and look at no more than five files.'

const BINDINGS = {
  'spec-writer': 'openrouter-deepseek-spec-writer@1',
  reviewer: 'openrouter-qwen-code-reviewer@1',
  verifier: 'openrouter-deepseek-verifier@1',
}

export interface RealRunOptions {
  apiKey: string
  /** The provider's base URL. */
  upstream: string
  limitMicroUsd: number
  /** The folder the recording is written to. */
  recording: string
  /** Folders of this machine, and what they are called in the recording. */
  folders: Record<string, string>
  say(text: string): void
  /** Ends everything. */
  signal: AbortSignal
}

export interface RealRun {
  run: Run
  calls: Call[]
  /** What the provider said that it billed. */
  billedMicroUsd: number
  /** The files of the recording. */
  written: string[]
}

/**
 * Runs `spec-and-review@1` on this checkout with a stack of its own, and with a forwarder before the provider. Records what
 * was said if the run completes, and throws if not. Whatever it started has ended then.
 */
export async function realRun(options: RealRunOptions): Promise<RealRun> {
  const { apiKey, upstream, limitMicroUsd, recording, signal, say } = options
  const folder = await mkdtemp(join(tmpdir(), 'devflow-real-'))
  const forwarder = await startForwarder({ upstream, limitMicroUsd })
  let done: Omit<RealRun, 'written'>
  try {
    say(`Starting Devflow before ${upstream} …`)
    const env = { OPENROUTER_API_KEY: apiKey, OPENROUTER_BASE_URL: forwarder.baseURL }
    const stack = await startRealStack(join(folder, 'data'), env, signal)
    try {
      say(`Devflow is at ${stack.api}`)
      done = await play(new DevflowClient({ baseUrl: stack.api }), forwarder, options)
    } finally {
      await stack.stop()
    }
  } finally {
    await forwarder.close()
    await rm(folder, { recursive: true, force: true })
  }
  const folders = { [folder]: '/data', ...options.folders }
  const written = await writeRecording(
    recording,
    scrubbed(forwarder.exchanges, { secrets: [apiKey], folders }),
  )
  return { ...done, written }
}

/** Submits the run, approves its gate, and waits for its end. */
async function play(
  client: DevflowClient,
  forwarder: Forwarder,
  { limitMicroUsd, say, signal }: RealRunOptions,
): Promise<Omit<RealRun, 'written'>> {
  const { id } = await client.runs.submit(
    {
      template: 'spec-and-review@1',
      input: { request: REQUEST },
      bindings: BINDINGS,
      budget: { limitMicroUsd },
      workspace: { repo: ROOT },
    },
    { signal },
  )
  say(`Run ${id}`)
  const log = client.runs.follow(id, { signal })
  for (let next = await log.next(); !next.done; next = await log.next()) {
    const { type, phase } = next.value
    if (/^(phase|gate|run)\./.test(type)) say(`  ${type}${phase === undefined ? '' : ` ${phase}`}`)
    if (type === 'gate.opened') await approve(client, id, signal)
  }
  const run = await client.runs.get(id, { signal })
  const calls = await Array.fromAsync(client.runs.calls(id, {}, { signal }))
  say(moneyOf(calls, forwarder))
  if (run.status !== 'completed') throw new Error(failureOf(run, forwarder))
  say(`Completed: ${JSON.stringify(run.output)}`)
  return { run, calls, billedMicroUsd: forwarder.billedMicroUsd() }
}

async function approve(client: DevflowClient, run: string, signal: AbortSignal): Promise<void> {
  for await (const { id, subjectHash } of client.gates.list({ run, status: 'open' }, { signal }))
    await client.gates.decide(run, id, { decision: 'approve', subjectHash, comment: 'Recorded.' }, { signal })
}

const inUsd = (microUsd: number): string => `${(microUsd / 1e6).toFixed(6)} USD`

/** The two differ where the provider did not say a cost, and the ledger keeps an estimate or looks it up. */
function moneyOf(calls: readonly Call[], forwarder: Forwarder): string {
  const ledger = calls.reduce((sum, { costMicroUsd = 0 }) => sum + costMicroUsd, 0)
  const billed = forwarder.billedMicroUsd()
  const unknown = forwarder.unknownCosts()
  return [
    `${calls.length} calls: the ledger says ${inUsd(ledger)}, the provider ${inUsd(billed)}`,
    ...(Math.abs(ledger - billed) < 1e-5 ? [] : [' (they differ)']),
    ...(unknown === 0 ? [] : [`; of ${unknown} calls it did not say what they cost`]),
  ].join('')
}

function failureOf({ id, status, error }: Run, { refused }: Forwarder): string {
  return [
    `Run ${id} is ${status}${error ? `: ${error.code}: ${error.message}` : ''}. Nothing was recorded.`,
    ...(refused === undefined ? [] : [`A call was not sent: ${refused}.`]),
  ].join('\n')
}
